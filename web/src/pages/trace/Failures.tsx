import { IconCircleCheck, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import classes from './Lists.module.css';
import type { Look } from './look.ts';
import { type Model, operationOf } from './model.ts';
import { ServiceName } from './ServiceName.tsx';

interface Props {
  model: Model;
  services: Map<string, Look>;
  selected: number;
  onSelect: (span: number) => void;
}

/** The spans that failed, those first in which a failure began. */
export function Failures({ model, services, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const { failures, failed_spans } = model.outline;
  if (failures.length === 0) {
    return <Empty icon={IconCircleCheck} title={t('trace.no_errors')} />;
  }
  return (
    <section className={classes.scroll} aria-label={t('trace.errors')}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('trace.span')}</th>
            <th>{t('trace.service')}</th>
            <th>{t('trace.message')}</th>
            <th className="num">{t('trace.at')}</th>
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {failures.map((f) => {
            const { name, service } = operationOf(model, f.span);
            return (
              <tr key={f.span} className="link" aria-selected={f.span === selected}>
                <td className={classes.main}>
                  <button type="button" className={`row-link ${classes.link}`} onClick={() => onSelect(f.span)}>
                    {name}
                  </button>
                  {f.origin ? (
                    <span className={`${classes.text} ${classes.bad}`}>
                      <IconX size={13} stroke={2.6} aria-hidden /> {t('trace.origin')}
                    </span>
                  ) : (
                    <span className={classes.text}>{t('trace.passed_on')}</span>
                  )}
                </td>
                <td>
                  <ServiceName name={service} look={services.get(service)} />
                </td>
                <td>
                  {f.type && <strong>{f.type}</strong>} {f.message}
                </td>
                <td className="num">{duration(model.spans[f.span]?.start_ns ?? 0)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {failed_spans > failures.length && (
        <p className="foot">{t('trace.first_of', { shown: count(failures.length), all: count(failed_spans) })}</p>
      )}
    </section>
  );
}
