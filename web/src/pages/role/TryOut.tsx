import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { tryRole } from '../../api/quality.ts';
import { meQuery, projectsOf } from '../../api/session.ts';
import type { Role } from '../../api/types.ts';
import { rememberedProject } from '../../frame/remembered.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import { draftOf, editIn } from '../roles/draft.ts';
import type { Writing } from './RoleForm.tsx';
import { TryAnswerView } from './TryAnswerView.tsx';
import classes from './TryOut.module.css';
import { useAsking } from './useAsking.ts';
import { variablesOf } from './variables.ts';

/** Asks the role as it stands in the editor, saved or not. */
export function TryOut({ role, draft }: { role: Role; draft?: Writing }) {
  const { t, i18n } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const projects = me ? projectsOf(me).filter((p) => role.owner === 0 || p.org_id === role.owner) : [];
  const [chosen, setChosen] = useState<string>();
  const project = chosen ?? String(projects.find((p) => p.id === rememberedProject())?.id ?? projects[0]?.id ?? '');
  const [input, setInput] = useState('');
  const [variables, setVariables] = useState<Record<string, string>>({});
  const edit = editIn(draft ?? draftOf(role));
  const names = variablesOf(edit?.system_message ?? '');
  const asking = useAsking((_: undefined, asked) => {
    if (!edit) throw new Error('the format cannot be used');
    const given = Object.fromEntries(names.map((name) => [name, variables[name] ?? '']));
    const language = i18n.language.startsWith('ko') ? 'ko' : 'en';
    return tryRole(role, Number(project), { role: edit, input, variables: given, language }, asked);
  });
  return (
    <div className={classes.columns}>
      <form
        className={`panel form ${classes.ask}`}
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate(undefined);
        }}
      >
        <p className="soft">{t(draft ? 'try.draft' : 'try.stored', { version: role.version })}</p>
        <Select
          label={t('try.project')}
          description={t('try.project_hint')}
          allowDeselect={false}
          data={projects.map((p) => ({ value: String(p.id), label: p.name }))}
          value={project || null}
          onChange={(next) => setChosen(next ?? undefined)}
        />
        {names.map((name) => (
          <TextInput
            key={name}
            label={name}
            classNames={{ input: classes.mono }}
            value={variables[name] ?? ''}
            onChange={(event) => {
              const value = event.currentTarget.value;
              setVariables((old) => ({ ...old, [name]: value }));
            }}
          />
        ))}
        <Textarea
          label={t('try.input')}
          required
          autosize
          minRows={6}
          maxRows={20}
          classNames={{ input: classes.mono }}
          value={input}
          onChange={(event) => setInput(event.currentTarget.value)}
        />
        <div>
          {asking.isPending ? (
            <Button variant="default" leftSection={<IconPlayerStop size={15} />} onClick={asking.stop}>
              {t('try.stop')}
            </Button>
          ) : (
            <Button type="submit" leftSection={<IconPlayerPlay size={15} />} disabled={!edit || !project || !input}>
              {t('try.ask')}
            </Button>
          )}
        </div>
      </form>
      <section className={`panel ${classes.result}`} aria-busy={asking.isPending} aria-label={t('calls.answer')}>
        {asking.data ? (
          <TryAnswerView answer={asking.data} />
        ) : asking.isPending ? (
          <>
            <h2 role="status">{t('try.asking')}</h2>
            {asking.text && <Block text={asking.text} what={t('calls.answer')} />}
          </>
        ) : asking.error && asking.error.name !== 'AbortError' ? (
          <Failure error={asking.error} />
        ) : (
          <p className="dim">{t('try.nothing')}</p>
        )}
      </section>
    </div>
  );
}
