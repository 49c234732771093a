import { useTranslation } from 'react-i18next';
import { dayNames } from '../Weekdays.tsx';
import { pairsOf, type Conditions as Rule } from './conditions.ts';
import classes from './Notify.module.css';

/** What a rule asks of a message; nothing for everything. */
export function Conditions({ of, also = [] }: { of: Rule; also?: [string, string][] }) {
  const { t, i18n } = useTranslation();
  const parts: [string, string][] = [...also];
  const add = (name: string, words?: string[]) => words?.length && parts.push([name, words.join(', ')]);
  add(
    t('channels.routing.severity'),
    of.severities?.map((one) => t(`channels.severity.${one as 'info'}`)),
  );
  add(t('channels.routing.service'), of.services);
  add(t('channels.routing.environment'), of.environments);
  add(t('channels.routing.owner'), of.owners);
  add(t('channels.routing.label'), pairsOf(of.labels));
  if (of.hours) {
    const { weekdays = [], from, to } = of.hours;
    parts.push([
      t('channels.routing.hours'),
      [dayNames(weekdays, i18n.language).join(' '), `${from}–${to}`].join(' ').trim(),
    ]);
  }
  if (parts.length === 0) return <span className="dim">{t('channels.routing.everything')}</span>;
  return (
    <dl className={classes.conditions}>
      {parts.map(([name, words]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}
