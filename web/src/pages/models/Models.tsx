import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { meQuery } from '../../api/session.ts';
import { Circuits } from '../../parts/circuits/Circuits.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Capabilities } from './Capabilities.tsx';
import classes from './Models.module.css';
import { Shipping } from './Shipping.tsx';

/** The models there are calls of: which are kept away from, and what they do not take. */
export function Models() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '' } = useSearch({ from: '/home/models' });
  const { data: me } = useQuery(meQuery);
  useTitle(t('nav.models'));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.models')}</h1>
        {me?.user.system && (
          <Filter
            label={t('models.filter')}
            value={q}
            onChange={(next) =>
              void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
            }
          />
        )}
      </div>
      {me && !me.user.system && (
        <section className="panel">
          <Failure error={new Problem(403)} />
        </section>
      )}
      {me?.user.system && (
        <div className={classes.sections}>
          <Circuits org={0} q={q} />
          <Capabilities q={q} />
          <Shipping />
        </div>
      )}
    </div>
  );
}
