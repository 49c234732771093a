import { IconMoon, IconPencil, IconStack2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RoutingEdit } from '../../api/types.ts';
import { RowAction } from '../RowAction.tsx';
import { dayNames } from '../Weekdays.tsx';
import classes from './Notify.module.css';
import { TimingForm } from './TimingForm.tsx';

export type Times = Pick<RoutingEdit, 'quiet' | 'digest' | 'time_zone'>;

interface Props {
  of: Times;
  canEdit: boolean;
  busy: boolean;
  onSave: (times: Times) => void;
}

/** What waits: quiet hours and the digest. */
export function TimingPanels({ of, canEdit, busy, onSave }: Props) {
  const { t, i18n } = useTranslation();
  const [editing, setEditing] = useState(false);
  const { quiet, digest } = of;
  const zone = of.time_zone || 'UTC';
  return (
    <div className={classes.timing}>
      <section className={`panel ${classes.part}`}>
        <div className="row">
          <h2 className="row">
            <IconMoon size={16} aria-hidden />
            {t('channels.quiet.title')}
          </h2>
          {canEdit && (
            <RowAction
              icon={IconPencil}
              label={t('action.edit')}
              of={t('channels.quiet.title')}
              onClick={() => setEditing(true)}
            />
          )}
        </div>
        <p>
          {quiet
            ? t(`channels.quiet_below.${quiet.below as 'critical'}`, {
                days: dayNames(quiet.hours.weekdays, i18n.language).join(' ') || t('channels.routing.every_day'),
                from: quiet.hours.from,
                to: quiet.hours.to,
                zone,
              })
            : t('channels.quiet.none')}
        </p>
      </section>
      <section className={`panel ${classes.part}`}>
        <div className="row">
          <h2 className="row">
            <IconStack2 size={16} aria-hidden />
            {t('channels.digest.title')}
          </h2>
          {canEdit && (
            <RowAction
              icon={IconPencil}
              label={t('action.edit')}
              of={t('channels.digest.title')}
              onClick={() => setEditing(true)}
            />
          )}
        </div>
        <p>
          {digest
            ? t(`channels.digest_below.${digest.below as 'critical'}`, { minutes: digest.every_minutes })
            : t('channels.digest.none')}
        </p>
      </section>
      {editing && (
        <TimingForm
          of={of}
          busy={busy}
          onSave={(part) => {
            onSave(part);
            setEditing(false);
          }}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}
