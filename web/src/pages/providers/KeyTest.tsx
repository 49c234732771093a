import { Autocomplete } from '@mantine/core';
import { IconCircleCheckFilled, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { checkKey } from '../../api/providers.ts';
import { meQuery, projectsOf } from '../../api/session.ts';
import type { KeyCheck, ModelService } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { rememberedProject } from '../../frame/remembered.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import badges from '../../parts/State.module.css';
import { useChange } from '../../parts/useChange.ts';
import type { KeyRow } from './health.ts';
import classes from './Providers.module.css';
import { verdict } from './verdict.ts';

interface Props {
  provider: ModelService;
  row: KeyRow;
  onClose: () => void;
}

/** Asks the service whether it takes a key, and tells the outcome in plain words. */
export function KeyTest({ provider, row, onClose }: Props) {
  const { t } = useTranslation();
  const [model, setModel] = useState('');
  const { data: me } = useQuery(meQuery);
  const projects = (me ? projectsOf(me) : []).filter((p) => provider.org_id === 0 || p.org_id === provider.org_id);
  const project = projects.find((p) => p.id === rememberedProject()) ?? projects[0];
  const test = useChange(() => checkKey(provider, row.alias, model.trim(), project?.id), { refresh: ['providers'] });
  return (
    <FormModal
      title={
        row.keyless
          ? t('providers.test_keyless', { name: provider.name })
          : t('providers.test_key', { key: row.alias, name: provider.name })
      }
      verb={t('providers.test')}
      busy={test.isPending}
      onSubmit={() => test.mutate(undefined)}
      onClose={onClose}
    >
      <p className={classes.means}>{t('providers.test_means')}</p>
      <Autocomplete
        label={t('providers.test_model')}
        description={t('providers.test_model_hint')}
        maxLength={200}
        limit={50}
        data={test.data ? [...new Set(test.data.models)] : []}
        value={model}
        onChange={setModel}
      />
      <div role="status">
        {test.data && !test.isPending && (
          <>
            <Outcome check={test.data} />
            {test.data.call_id && project && (
              <p>
                <Link
                  to="/projects/$project/ai-calls/$call"
                  params={{ project: String(project.id), call: test.data.call_id }}
                >
                  {t('providers.logged', { project: project.name })}
                </Link>
              </p>
            )}
          </>
        )}
      </div>
    </FormModal>
  );
}

function Outcome({ check }: { check: KeyCheck }) {
  const { t } = useTranslation();
  const Icon = check.ok ? IconCircleCheckFilled : IconPlugConnectedX;
  const models = [...new Set(check.models)];
  return (
    <div className={classes.verdict}>
      <div className="row">
        <span className={badges.badge} data-tone={check.ok ? 'ok' : 'critical'}>
          <Icon size={14} aria-hidden />
          {t(check.ok ? 'providers.works' : 'providers.fails')}
        </span>
        <span className="dim">{t('providers.took', { ms: count(check.latency_ms) })}</span>
      </div>
      <p>
        <Words check={check} />
      </p>
      {!check.ok && (
        <code>{[check.status ? `HTTP ${check.status}` : '', check.message].filter(Boolean).join(' · ')}</code>
      )}
      {models.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
        <div className={classes.models} tabIndex={0} role="group" aria-label={t('providers.models')}>
          {models.map((model) => (
            <code key={model}>{model}</code>
          ))}
        </div>
      )}
    </div>
  );
}

function Words({ check }: { check: KeyCheck }) {
  const { t } = useTranslation();
  const read = verdict(check);
  switch (read.found) {
    case 'listed':
      return t('providers.found.listed', { models: count(read.models) });
    case 'answered':
      return t('providers.found.answered', { model: read.model });
    case 'unreached':
      return t(`providers.unreached.${read.why}`);
    case 'no_list':
      return t('providers.found.no_list');
    case 'remedy':
      return t(`providers.remedy.${read.what}`);
    case 'failure':
      return t(`failures.${read.what}`);
    case 'other':
      return t('providers.found.other');
  }
}
