import { Button, NumberInput, Select } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { judgingQuery, setJudging } from '../../api/quality.ts';
import { rolesQuery } from '../../api/roles.ts';
import type { Judging } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import classes from './Quality.module.css';

type Edit = Pick<Judging, 'role' | 'version' | 'share' | 'daily'>;

/** Which share of the answers the judge is asked about, for those who edit roles. */
export function Judgings() {
  const { t } = useTranslation();
  const { data: all } = useQuery(judgingQuery);
  const [editing, setEditing] = useState<{ edit: Edit; fresh: boolean }>();
  return (
    <section className={classes.section}>
      <div className="page-head">
        <h2>{t('judging.title')}</h2>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setEditing({ edit: { role: '', version: 0, share: 10, daily: 100 }, fresh: true })}
        >
          {t('judging.add')}
        </Button>
      </div>
      <p className="lead">{t('judging.lead')}</p>
      {all && all.length > 0 && (
        <div className="panel">
          <table className="table">
            <thead>
              <tr>
                <th>{t('calls.column.role')}</th>
                <th>{t('labels.version')}</th>
                <th className="num">{t('judging.share')}</th>
                <th className="num">{t('judging.daily')}</th>
                <th>{t('prices.changed')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {all.map((each) => (
                <tr key={`${each.role}@${each.version}`}>
                  <td>
                    <code>{each.role}</code>
                  </td>
                  <td>{each.version || t('judging.every_version')}</td>
                  <td className="num">{`${each.share} %`}</td>
                  <td className="num">{each.daily}</td>
                  <td className="nowrap">
                    <When at={each.updated_at} /> <span className="dim">{each.updated_by}</span>
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={each.role}
                        onClick={() => setEditing({ edit: each, fresh: false })}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editing && <Form {...editing} onClose={() => setEditing(undefined)} />}
    </section>
  );
}

function Form({ edit, fresh, onClose }: { edit: Edit; fresh: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const { data: roles = [] } = useQuery(rolesQuery(0));
  const [value, setValue] = useState(edit);
  const set = (part: Partial<Edit>) => setValue((old) => ({ ...old, ...part }));
  const save = useChange(setJudging, { refresh: ['judging'], done: t('judging.saved'), onDone: onClose });
  return (
    <FormModal
      title={t(fresh ? 'judging.add' : 'judging.edit')}
      busy={save.isPending}
      onSubmit={() => save.mutate(value)}
      onClose={onClose}
    >
      <Select
        label={t('calls.column.role')}
        required
        disabled={!fresh}
        allowDeselect={false}
        data={roles.map((each) => each.code).filter((code) => code !== 'answer-judge')}
        value={value.role || null}
        onChange={(role) => set({ role: role ?? '' })}
      />
      <NumberInput
        label={t('labels.version')}
        description={t('judging.version_hint')}
        disabled={!fresh}
        allowDecimal={false}
        min={0}
        value={value.version}
        onChange={(version) => set({ version: Number(version) })}
      />
      <NumberInput
        label={t('judging.share')}
        suffix=" %"
        allowDecimal={false}
        min={0}
        max={100}
        value={value.share}
        onChange={(share) => set({ share: Number(share) })}
      />
      <NumberInput
        label={t('judging.daily')}
        description={t('judging.daily_hint')}
        allowDecimal={false}
        min={0}
        max={10_000}
        value={value.daily}
        onChange={(daily) => set({ daily: Number(daily) })}
      />
    </FormModal>
  );
}
