import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { IconGavel, IconThumbDown, IconThumbDownFilled, IconThumbUp, IconThumbUpFilled } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { opinionsQuery, setFeedback, takeFeedbackBack } from '../api/quality.ts';
import classes from './Opinion.module.css';
import { useChange } from './useChange.ts';
import { When } from './When.tsx';

/** What the reader thinks of an answer, in one click, and what others and the judge think. */
export function Opinion({ project, call }: { project: number; call: string }) {
  const { t } = useTranslation();
  const { data, isError } = useQuery(opinionsQuery(project, call));
  const options = { refresh: ['opinions', project, call], also: ['experiments', project] };
  const say = useChange((body: { up: boolean; comment: string }) => setFeedback(project, call, body), options);
  const takeBack = useChange(() => takeFeedbackBack(project, call), options);
  const [typed, setTyped] = useState<string>();
  if (isError) return null;
  const mine = data?.mine;
  const comment = typed ?? mine?.comment ?? '';
  const busy = say.isPending || takeBack.isPending || !data;
  const thumb = (up: boolean) => {
    const chosen = mine?.up === up;
    const Icon = up ? (chosen ? IconThumbUpFilled : IconThumbUp) : chosen ? IconThumbDownFilled : IconThumbDown;
    const label = t(up ? 'opinion.up' : 'opinion.down');
    return (
      <Tooltip label={chosen ? t('opinion.take_back') : label}>
        <ActionIcon
          variant={chosen ? 'light' : 'subtle'}
          color={chosen ? undefined : 'gray'}
          aria-label={label}
          aria-pressed={chosen}
          disabled={busy}
          onClick={() => {
            setTyped(undefined);
            if (chosen) takeBack.mutate(undefined);
            else say.mutate({ up, comment });
          }}
        >
          <Icon size={16} />
        </ActionIcon>
      </Tooltip>
    );
  };
  return (
    <section className={classes.opinion} aria-label={t('opinion.title')}>
      <span>{t('opinion.ask')}</span>
      {thumb(true)}
      {thumb(false)}
      {mine && (
        <>
          <TextInput
            size="xs"
            className={classes.comment}
            placeholder={t('opinion.comment')}
            aria-label={t('opinion.comment')}
            maxLength={2000}
            value={comment}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') say.mutate({ up: mine.up, comment }, { onSuccess: () => setTyped(undefined) });
            }}
          />
          <Button
            size="compact-xs"
            variant="default"
            disabled={busy || typed === undefined || typed === mine.comment}
            onClick={() => say.mutate({ up: mine.up, comment }, { onSuccess: () => setTyped(undefined) })}
          >
            {t('action.save')}
          </Button>
        </>
      )}
      {data && (data.items.some((each) => each !== mine && each.person_id !== mine?.person_id) || data.judgement) && (
        <ul className={classes.said}>
          {data.items
            .filter((each) => each.person_id !== mine?.person_id)
            .map((each) => (
              <li key={each.person_id}>
                {each.up ? (
                  <IconThumbUp size={14} role="img" aria-label={t('opinion.up')} />
                ) : (
                  <IconThumbDown size={14} role="img" aria-label={t('opinion.down')} />
                )}
                <strong>{each.name}</strong> {each.comment} <When at={each.at} />
              </li>
            ))}
          {data.judgement && (
            <li>
              <IconGavel size={14} aria-hidden />
              <strong>
                {data.judgement.score > 0
                  ? t('opinion.judged', { score: data.judgement.score })
                  : t('opinion.judge_failed')}
              </strong>{' '}
              {data.judgement.reason} <When at={data.judgement.at} />
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
