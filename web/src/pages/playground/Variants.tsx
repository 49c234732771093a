import { Badge, Button, Textarea } from '@mantine/core';
import { IconArrowUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { promoteVariant } from '../../api/quality.ts';
import { meQuery } from '../../api/session.ts';
import type { ExperimentResults } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { dollars } from '../../format/number.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Share } from '../quality/Share.tsx';
import { roleLink } from '../role/standing.ts';
import classes from './Playground.module.css';
import { best, variantName } from './variant.ts';

/** What each variant did over all its cells, and the way from the best one to a draft of the role. */
export function Variants({ project, results }: { project: number; results: ExperimentResults }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [promoting, setPromoting] = useState<number>();
  const [notes, setNotes] = useState('');
  const words = {
    version: t('labels.version'),
    temperature: t('roles.parameter.temperature'),
    top_p: t('roles.parameter.top_p'),
  };
  const { data: me } = useQuery(meQuery);
  const own = results.role_owner === 0 && me?.user.system === false;
  const leader = best(results.variants);
  const promote = useChange((variant: number) => promoteVariant(project, results.id, variant, notes), {
    refresh: ['roles'],
    onDone: (role) => void navigate(roleLink(role)),
  });
  const winner = promoting === undefined ? undefined : results.variants[promoting];
  return (
    <section className={classes.section}>
      <h2>{t('playground.variants')}</h2>
      <div className="panel scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th>{t('playground.variant')}</th>
              <th className="num">{t('playground.cells')}</th>
              <th className="num">{t('quality.valid')}</th>
              <th className="num">{t('quality.grounded')}</th>
              <th className="num">{t('playground.p50')}</th>
              <th className="num">{t('quality.cost')}</th>
              <th className="num">{t('playground.thumbs')}</th>
              <th aria-label={t('playground.promote')} />
            </tr>
          </thead>
          <tbody>
            {results.variants.map((v, i) => (
              <tr key={variantName(v, words).join()}>
                <td>
                  <div className={classes.variant}>
                    {variantName(v, words).join(' · ')}
                    {i === leader && results.state !== 'running' && (
                      <Badge size="sm" variant="outline">
                        {t('playground.best')}
                      </Badge>
                    )}
                  </div>
                  {v.dropped.length > 0 && (
                    <span className={classes.left}>
                      {t('calls.dropped', {
                        names: v.dropped.map((name) => t(`roles.parameter.${name as 'top_p'}`, name)).join(', '),
                      })}
                    </span>
                  )}
                </td>
                <td className="num">
                  {`${v.finished} / ${v.cells}`}
                  {v.failed > 0 && <div className={classes.wrong}>{t('playground.failed', { failed: v.failed })}</div>}
                </td>
                <td className="num">
                  <Share of={v.valid} />
                </td>
                <td className="num">
                  <Share of={v.grounded} />
                </td>
                <td className="num">{v.finished > v.failed ? durationMs(v.p50_ms) : '–'}</td>
                <td className="num">{dollars(v.cost_per_call) ?? <span className="dim">{t('calls.no_cost')}</span>}</td>
                <td className="num">{v.thumbs.up + v.thumbs.down > 0 ? `+${v.thumbs.up} −${v.thumbs.down}` : '–'}</td>
                <td>
                  <div className="row-actions">
                    <Button
                      variant="default"
                      size="compact-xs"
                      leftSection={<IconArrowUp size={14} />}
                      disabled={v.finished === 0}
                      onClick={() => {
                        setNotes('');
                        setPromoting(i);
                      }}
                    >
                      {t('playground.promote')}
                    </Button>
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {winner && promoting !== undefined && (
        <FormModal
          title={t('playground.promote_title')}
          verb={t('playground.promote')}
          busy={promote.isPending}
          onSubmit={() => promote.mutate(promoting)}
          onClose={() => setPromoting(undefined)}
        >
          <p className="soft">
            {t(own ? 'playground.promote_own_means' : 'playground.promote_means', {
              variant: variantName(winner, words).join(' · '),
              role: results.role,
            })}
          </p>
          <Textarea
            label={t('labels.reason')}
            maxLength={500}
            value={notes}
            onChange={(event) => setNotes(event.currentTarget.value)}
          />
        </FormModal>
      )}
    </section>
  );
}
