import { Button, SegmentedControl, Skeleton } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconTimeline } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { occurrenceQuery } from '../../api/issues.ts';
import type { IssueDetail, IssueOccurrence } from '../../api/types.ts';
import { absolute } from '../../format/time.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import classes from './Issue.module.css';
import { StackView } from './StackView.tsx';

interface Props {
  issue: IssueDetail;
  occurrence: string;
  range: RangeSearch;
  onMove: (occurrence: string) => void;
}

/** One occurrence with its stack, and the way to the older and the newer one. */
export function OccurrenceView({ issue, occurrence, range, onMove }: Props) {
  const { t } = useTranslation();
  const [raw, setRaw] = useState(false);
  const { data, error, refetch } = useQuery(occurrenceQuery(issue.project_id, issue.id, occurrence, range));
  if (!data) {
    return error ? (
      <Failure error={error} retry={() => void refetch()} />
    ) : (
      <div aria-busy>
        <Skeleton height={34} mb={12} />
        <Skeleton height={380} />
      </div>
    );
  }
  return (
    <section className="panel" aria-label={t('issue.occurrence')}>
      <div className={classes.bar}>
        <Button.Group>
          <Button
            variant="default"
            leftSection={<IconChevronLeft size={15} />}
            disabled={!data.older}
            onClick={() => onMove(data.older)}
          >
            {t('issue.older')}
          </Button>
          <Button
            variant="default"
            rightSection={<IconChevronRight size={15} />}
            disabled={!data.newer}
            onClick={() => onMove(data.newer)}
          >
            {t('issue.newer')}
          </Button>
        </Button.Group>
        <time dateTime={data.time} className="nowrap">
          {absolute(data.time)}
        </time>
        <SegmentedControl
          aria-label={t('issue.stack')}
          value={raw ? 'raw' : 'read'}
          onChange={(v) => setRaw(v === 'raw')}
          data={(['read', 'raw'] as const).map((value) => ({ value, label: t(`issue.view.${value}`) }))}
        />
      </div>
      <Where issue={issue} data={data} />
      {raw || data.stack.exceptions.every((e) => e.frames.length === 0) ? (
        <div className={classes.raw}>
          <Block text={data.raw || `${data.type}: ${data.message}`} what={t('issue.stack')} wrap={false} />
        </div>
      ) : (
        <StackView key={data.id} stack={data.stack} />
      )}
    </section>
  );
}

/** Where and when it was, and what stands around it. */
function Where({ issue, data }: { issue: IssueDetail; data: IssueOccurrence }) {
  const { t } = useTranslation();
  const params = { project: String(issue.project_id), traceId: data.trace_id };
  const facts = [
    ['service', data.service],
    ['endpoint', data.endpoint],
    ['version', data.version],
    ['environment', data.environment],
    ['instance', data.instance],
    ['user', data.user],
  ] as const;
  return (
    <dl className={classes.where}>
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{t(`issue.fact.${name}`)}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
      <div>
        <dt>{t('issue.fact.source')}</dt>
        <dd>{data.sources.map((s) => t(`issue.source.${s}`)).join(' + ')}</dd>
      </div>
      {data.trace_id && (
        <div>
          <dt>{t('issue.fact.trace')}</dt>
          <dd>
            <Link to="/projects/$project/traces/$traceId" params={params} search={{ span: data.span_id || undefined }}>
              <IconTimeline size={14} aria-hidden /> {data.trace_id.slice(0, 8)}
            </Link>
          </dd>
        </div>
      )}
    </dl>
  );
}
