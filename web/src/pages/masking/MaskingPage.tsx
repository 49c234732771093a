import { Button, SegmentedControl, Select, Skeleton, Tabs, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { maskingHistoryQuery, maskingQuery, setMasking, trialQuery } from '../../api/masking.ts';
import { asProblem } from '../../api/problem.ts';
import { rolesQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Masking, MaskingTest } from '../../api/types.ts';
import { useCanAdmin, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { Versions } from '../../parts/Versions.tsx';
import { EXAMPLES, type Example, FIELDS, fieldsIn } from './examples.ts';
import classes from './Masking.module.css';
import { Leaving, Legend, Verdicts } from './Outcome.tsx';
import { PolicyFields } from './PolicyFields.tsx';
import { type PolicyDraft, policyDraft, policyIn, policyText } from './policy.ts';

const ROUTE = '/home/projects/$project/masking';

/** What of a text would leave for a model, tried with a policy before it is stored. */
export function MaskingPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { tab = 'try' } = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  const { data: masking, error, refetch } = useQuery(maskingQuery(project));
  useTitle(t('nav.masking'));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.masking')}</h1>
      </div>
      <p className="lead">{t('mask.lead')}</p>
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({ to: '.', search: { tab: next === 'history' ? 'history' : undefined }, replace: true })
        }
      >
        <Tabs.List mb={14}>
          <Tabs.Tab value="try">{t('mask.try')}</Tabs.Tab>
          <Tabs.Tab value="history">{t('mask.history')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="try">
          {error && !masking ? (
            <Failure error={error} retry={() => void refetch()} />
          ) : masking ? (
            <Try key={project} project={project} masking={masking} />
          ) : (
            <div className={classes.columns} aria-busy>
              <Skeleton height={420} />
              <Skeleton height={420} />
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="history">{tab === 'history' && <History project={project} />}</Tabs.Panel>
      </Tabs>
    </div>
  );
}

/** A policy being written, on the version it began with. */
interface Writing {
  version: number;
  policy: PolicyDraft;
}

function Try({ project, masking }: { project: number; masking: Masking }) {
  const { t } = useTranslation();
  const canAdmin = useCanAdmin();
  const [kind, setKind] = useState<'text' | 'json'>('text');
  const [text, setText] = useState<string>(EXAMPLES.sql);
  const [fields, setFields] = useState(FIELDS);
  const [role, setRole] = useState('');
  const [writing, setWriting] = useState<Writing>();
  const [saving, setSaving] = useState(false);
  const draft = writing?.policy ?? policyDraft(masking.policy);
  const stale = writing !== undefined && writing.version !== masking.version;
  const change = (policy: PolicyDraft) => setWriting({ version: writing?.version ?? masking.version, policy });
  const test: MaskingTest = {
    ...(kind === 'json' ? { json: text, fields: fieldsIn(fields) } : { text }),
    role: role || undefined,
    policy: writing && policyIn(draft),
  };
  // A list or object made anew at every keystroke is the same when it says the same.
  const [asked] = useDebouncedValue(JSON.stringify(test), 250);
  const trial = useQuery({ ...trialQuery(project, JSON.parse(asked)), placeholderData: keepPreviousData });
  const problem = trial.error ? asProblem(trial.error) : undefined;
  const ofPolicy = problem?.field.startsWith('policy.') ? problem : undefined;
  const outcome = problem || text === '' ? undefined : trial.data;
  const example = (name: Example) => {
    setKind(name === 'json' ? 'json' : 'text');
    if (name === 'json') setFields(FIELDS);
    setText(EXAMPLES[name]);
  };
  return (
    <>
      <div className={classes.columns}>
        <section className={`panel ${classes.side}`} aria-labelledby="mask-input">
          <div className={classes.head}>
            <h2 id="mask-input">{t('mask.input')}</h2>
            <SegmentedControl
              size="xs"
              aria-label={t('mask.kind')}
              data={[
                { value: 'text', label: t('mask.text') },
                { value: 'json', label: 'JSON' },
              ]}
              value={kind}
              onChange={(next) => setKind(next === 'json' ? 'json' : 'text')}
            />
          </div>
          <div className={classes.examples}>
            <span className="dim">{t('mask.examples')}</span>
            {(Object.keys(EXAMPLES) as Example[]).map((name) => (
              <Button key={name} size="compact-xs" variant="default" onClick={() => example(name)}>
                {t(`mask.example.${name}`)}
              </Button>
            ))}
          </div>
          <Textarea
            aria-label={t('mask.input')}
            placeholder={t('mask.input_like')}
            autosize
            minRows={12}
            maxRows={24}
            maxLength={200_000}
            spellCheck={false}
            classNames={{ input: classes.mono }}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
          />
          {kind === 'json' && (
            <Textarea
              label={t('mask.fields')}
              description={t('mask.fields_hint')}
              autosize
              minRows={2}
              maxRows={8}
              spellCheck={false}
              classNames={{ input: classes.mono }}
              value={fields}
              onChange={(e) => setFields(e.currentTarget.value)}
            />
          )}
          <RoleField value={role} onChange={setRole} />
          <p className={classes.hint}>{t('mask.nothing_kept')}</p>
        </section>
        <section className={`panel ${classes.side}`} aria-labelledby="mask-leaves" aria-busy={trial.isFetching}>
          <div className={classes.head}>
            <h2 id="mask-leaves">{t('mask.leaves')}</h2>
          </div>
          <div className={classes.state}>
            {problem && !ofPolicy ? (
              <Failure error={problem} />
            ) : ofPolicy ? (
              <p className={classes.wrong} role="alert">
                <IconAlertTriangle size={16} aria-hidden /> {t('mask.policy_wrong')} <code>{ofPolicy.detail}</code>
              </p>
            ) : outcome ? (
              <>
                <Leaving text={text} outcome={outcome} />
                <Verdicts outcome={outcome} />
              </>
            ) : (
              <p className="dim">{t('mask.nothing')}</p>
            )}
          </div>
          <h3 className={classes.legendHead}>{t('mask.legend')}</h3>
          <p className={classes.hint}>{t('mask.legend_hint')}</p>
          <Legend
            outcome={outcome}
            off={draft.off}
            onOff={(off) => change({ ...draft, off, always: draft.always.filter((each) => !off.includes(each)) })}
          />
        </section>
      </div>
      <form
        className={`panel form ${classes.policy}`}
        aria-labelledby="mask-policy"
        onSubmit={(event) => {
          event.preventDefault();
          setSaving(true);
        }}
      >
        <div className={classes.head}>
          <h2 id="mask-policy">{t('mask.policy')}</h2>
          <span className="dim">
            {masking.version === 0
              ? t('mask.never_set')
              : t('mask.version', { version: masking.version, name: masking.updated_by })}
          </span>
        </div>
        <p className={classes.hint}>{t('mask.policy_hint')}</p>
        <PolicyFields
          draft={draft}
          onChange={change}
          problem={ofPolicy}
          matches={outcome?.patterns.filter((each) => !each.of_role)}
        />
        {stale && (
          <div className={classes.stale} role="alert">
            <IconAlertTriangle size={16} aria-hidden />
            {t('mask.stale', { name: masking.updated_by, version: masking.version })}
            <Button variant="default" size="xs" onClick={() => setWriting(undefined)}>
              {t('mask.reload')}
            </Button>
          </div>
        )}
        {canAdmin ? (
          <div className={classes.buttons}>
            {writing && <span className="dim">{t('mask.unsaved')}</span>}
            {writing && !stale && (
              <Button variant="subtle" onClick={() => setWriting(undefined)}>
                {t('mask.discard')}
              </Button>
            )}
            <Button type="submit" disabled={!writing || stale || ofPolicy !== undefined}>
              {t('mask.save')}
            </Button>
          </div>
        ) : (
          <p className={classes.hint}>{t('mask.only_admins')}</p>
        )}
      </form>
      {saving && writing && (
        <Save
          project={project}
          writing={writing}
          onClose={() => setSaving(false)}
          onSaved={() => setWriting(undefined)}
        />
      )}
    </>
  );
}

/** Those who may not list roles write its code. */
function RoleField({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const { data: roles = [] } = useQuery({ ...rolesQuery(0), enabled: me?.user.system ?? false });
  const shared = { label: t('mask.role'), description: t('mask.role_hint') };
  if (!me?.user.system) {
    return <TextInput {...shared} value={value} onChange={(e) => onChange(e.currentTarget.value.trim())} />;
  }
  return (
    <Select
      {...shared}
      clearable
      placeholder={t('mask.no_role')}
      data={roles.map(({ code, name }) => ({ value: code, label: name || code }))}
      value={value || null}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}

interface SaveProps {
  project: number;
  writing: Writing;
  onSaved: () => void;
  onClose: () => void;
}

function Save({ project, writing, onSaved, onClose }: SaveProps) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  const save = useChange(() => setMasking(project, writing.version, policyIn(writing.policy), reason), {
    refresh: ['masking', project],
    done: t('mask.saved'),
    onDone: () => {
      onSaved();
      onClose();
    },
  });
  return (
    <FormModal title={t('mask.save')} busy={save.isPending} onSubmit={() => save.mutate(undefined)} onClose={onClose}>
      <p className={classes.hint}>{t('mask.save_means')}</p>
      <Textarea
        label={t('mask.reason')}
        data-autofocus
        autosize
        minRows={2}
        maxLength={300}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
    </FormModal>
  );
}

function History({ project }: { project: number }) {
  const { t } = useTranslation();
  const { version, against } = useSearch({ from: ROUTE });
  const { data, error, refetch } = useQuery(maskingHistoryQuery(project));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={220} />;
  if (data.length === 0) {
    return (
      <Empty icon={IconAlertTriangle} title={t('mask.never_set')}>
        <p>{t('mask.no_history_hint')}</p>
      </Empty>
    );
  }
  return (
    <Versions
      versions={data.map((each, i) => ({
        version: each.version,
        at: each.updated_at ?? '',
        by: each.updated_by,
        notes: each.reason,
        marks: i === 0 ? [t('mask.in_use')] : [],
        parts: [{ text: policyText(each.policy).join('\n') }],
      }))}
      chosen={version}
      against={against}
      link={(chosen, other) => ({
        to: '/projects/$project/masking',
        params: { project: String(project) },
        search: { tab: 'history', version: chosen, against: other },
      })}
    />
  );
}
