import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { movesQuery, type RoleRef } from '../../api/roles.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { When } from '../../parts/When.tsx';
import { Changes } from './Changes.tsx';
import { movedLabel } from './standing.ts';

/** What was done to the labels of a role, by whom and why. */
export function Moves({ role }: { role: RoleRef }) {
  const { t } = useTranslation();
  const { data: moves, error, isPending, refetch } = useQuery(movesQuery(role));
  return (
    <section aria-labelledby="moves">
      <h2 id="moves">{t('labels.moves')}</h2>
      <div className="panel scroll-x" aria-busy={isPending}>
        {error && !moves ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('labels.when')}</th>
                <th>{t('labels.label')}</th>
                <th>{t('labels.changed')}</th>
                <th>{t('labels.reason')}</th>
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={3} columns={4} />}
              {moves?.length === 0 && (
                <tr>
                  <td colSpan={4} className="dim">
                    {t('labels.no_moves')}
                  </td>
                </tr>
              )}
              {moves?.map((move) => (
                <tr key={move.number}>
                  <td className="nowrap">
                    <When at={move.at} /> <span className="dim">{move.by}</span>
                  </td>
                  <td>
                    <code>{movedLabel(move)}</code>
                  </td>
                  <td>
                    <Changes from={move.from} to={move.to} />
                  </td>
                  <td className="soft">{move.reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
