import { Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { demandQuery, setDemand } from '../api/signin.ts';
import { count } from '../format/number.ts';
import { Confirm } from './Confirm.tsx';
import { Failure } from './Failure.tsx';
import { useChange } from './useChange.ts';

/** Whether an organisation, or with 0 the installation, demands two-step sign-in of its people. */
export function DemandSwitch({ org }: { org: number }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { data: demand, error, refetch } = useQuery(demandQuery(org));
  const set = useChange((on: boolean) => setDemand(org, on), {
    refresh: ['sign-in', org],
    also: ['me'],
    done: t('signin.demand_saved'),
  });
  if (error && !demand) return <Failure error={error} retry={() => void refetch()} />;
  const without = demand?.without ?? 0;
  return (
    <>
      <Switch
        label={t('signin.demand')}
        description={t(org ? 'signin.demand_means_org' : 'signin.demand_means')}
        disabled={!demand || set.isPending}
        checked={demand?.second_factor ?? false}
        onChange={(e) => (e.currentTarget.checked ? setAsking(true) : set.mutate(false))}
      />
      {demand && without > 0 && (
        <p className="dim" style={{ marginBottom: 0 }}>
          {t('signin.without', { n: count(without) })}
        </p>
      )}
      <Confirm
        opened={asking}
        title={t('signin.demand')}
        verb={t('signin.demand_verb')}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          set.mutate(true);
          setAsking(false);
        }}
      >
        {t('signin.demand_confirm', { n: count(without) })}
      </Confirm>
    </>
  );
}
