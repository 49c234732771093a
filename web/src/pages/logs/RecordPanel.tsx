import { ActionIcon, Button, CloseButton, Skeleton, Tabs, Tooltip } from '@mantine/core';
import {
  IconColumnInsertRight,
  IconFilterMinus,
  IconFilterPlus,
  IconTimeline,
  IconVariable,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { logQuery } from '../../api/logs.ts';
import type { LogDetails } from '../../api/types.ts';
import { precise } from '../../format/time.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { fieldOf } from '../../parts/LogLines.tsx';
import { Block } from '../../parts/Mono.tsx';
import { writable } from '../../parts/query/language.ts';
import { Context } from './Context.tsx';
import { Swatch } from './Histogram.tsx';
import classes from './RecordPanel.module.css';

// A value longer than this many characters gets a box that scrolls.
const LONG = 300;

interface Props {
  project: number;
  id: string;
  tab: 'details' | 'context';
  columns: readonly string[];
  marks?: RegExp;
  onTab: (tab: 'details' | 'context') => void;
  onToggle: (field: string, value: string, not: boolean) => void;
  onColumn: (field: string) => void;
  onOpen: (id: string) => void;
  onClose: () => void;
}

/** Everything known about one record, and what its process wrote around it. */
export function RecordPanel(props: Props) {
  const { project, id, tab, onTab, onClose } = props;
  const { t } = useTranslation();
  const query = useQuery(logQuery(project, id));
  const record = query.data;
  const link = new URL(window.location.href);
  link.search = new URLSearchParams({ record: id, ...around(record) }).toString();
  return (
    <aside className={classes.panel} aria-label={t('logs.record')} data-testid="log-record">
      <header>
        {record && <Swatch level={record.level} />}
        <h2>{record ? precise(record.time) : t('logs.record')}</h2>
        <Copy text={link.href} what={t('copy.link')} />
        {record && <CopyJSON record={record} />}
        <CloseButton size="sm" aria-label={t('action.close')} onClick={onClose} />
      </header>
      <Tabs value={tab} onChange={(to) => onTab(to === 'context' ? 'context' : 'details')} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="details">{t('logs.details')}</Tabs.Tab>
          <Tabs.Tab value="context">{t('logs.context')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="details">
          {query.isError ? (
            <Failure error={query.error} retry={() => void query.refetch()} />
          ) : record ? (
            <Details {...props} record={record} />
          ) : (
            <div className={classes.body}>
              <Skeleton height={60} />
              <Skeleton height={240} />
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="context">
          <Context project={project} id={id} marks={props.marks} onOpen={props.onOpen} />
        </Tabs.Panel>
      </Tabs>
    </aside>
  );
}

/** The quarter of an hour around a record: where its link leads. */
function around(record?: LogDetails): Record<string, string> {
  if (!record) return {};
  const at = Date.parse(record.time);
  return { from: new Date(at - 450_000).toISOString(), to: new Date(at + 450_000).toISOString() };
}

function CopyJSON({ record }: { record: LogDetails }) {
  const { t } = useTranslation();
  return <Copy text={JSON.stringify(record, null, 2)} what={t('logs.as_json')} />;
}

function Details({ project, record, columns, onToggle, onColumn }: Props & { record: LogDetails }) {
  const { t } = useTranslation();
  const pairs = (names: string[]) => names.map((name): [string, string] => [name, fieldOf(record, name)]);
  const actions = { columns, onToggle, onColumn };
  const { 'exception.stacktrace': stack, ...attributes } = record.attributes;
  return (
    <div className={classes.body}>
      <Block text={pretty(record.body)} what={t('logs.body')} />
      {(record.exception_type || record.exception_message) && (
        <section>
          <h3>{t('logs.exception')}</h3>
          <p className={classes.exception}>
            {[record.exception_type, record.exception_message].filter(Boolean).join(': ')}
          </p>
          {stack && <Block text={stack} what={t('logs.stack')} wrap={false} />}
        </section>
      )}
      <div className={classes.links}>
        {record.trace_id && (
          <Button
            variant="light"
            leftSection={<IconTimeline size={15} />}
            renderRoot={(root) => (
              <Link
                {...root}
                to="/projects/$project/traces/$traceId"
                params={{ project: String(project), traceId: record.trace_id ?? '' }}
                search={{ span: record.span_id }}
              />
            )}
          >
            {t('logs.to_trace')}
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<IconVariable size={15} />}
          onClick={() => onToggle('pattern', record.pattern, false)}
        >
          {t('logs.same_pattern')}
        </Button>
        {record.trace_id && (
          <Button variant="default" onClick={() => onToggle('trace', record.trace_id ?? '', false)}>
            {t('logs.same_trace')}
          </Button>
        )}
      </div>
      <Pairs
        pairs={pairs(['level', 'service', 'environment', 'instance', 'version', 'logger', 'event', 'trace', 'span'])}
        {...actions}
      />
      <Section title={t('logs.attributes')} pairs={attributes} prefix="attr." {...actions} />
      <Section title={t('logs.resource')} pairs={record.resource} prefix="resource." {...actions} />
      {record.dropped ? <p className="dim">{t('logs.dropped', { count: record.dropped })}</p> : null}
    </div>
  );
}

/** JSON with its lines, anything else as it is. */
function pretty(body: string): string {
  if (!/^\s*[[{]/.test(body)) return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

type Actions = Pick<Props, 'columns' | 'onToggle' | 'onColumn'>;

function Section({
  title,
  pairs,
  prefix,
  ...actions
}: Actions & { title: string; pairs: Record<string, string>; prefix: string }) {
  const entries = Object.entries(pairs).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <Pairs pairs={entries.map(([name, value]): [string, string] => [prefix + name, value])} {...actions} />
    </section>
  );
}

function Pairs({ pairs, columns, onToggle, onColumn }: Actions & { pairs: [string, string][] }) {
  const { t } = useTranslation();
  return (
    <dl className={classes.pairs}>
      {pairs
        .filter(([, value]) => value !== '')
        .map(([field, value]) => {
          const name = field.replace(/^(attr|resource)\./, '');
          const column = columns.includes(field);
          return (
            <div key={field}>
              <dt>{name}</dt>
              <dd>
                {value.length > LONG ? <Block text={value} what={name} /> : <code>{value}</code>}
                <span className={classes.actions}>
                  {writable(field) && (
                    <>
                      <Action
                        label={t('logs.include_value', { value: name })}
                        onClick={() => onToggle(field, value, false)}
                      >
                        <IconFilterPlus size={14} />
                      </Action>
                      <Action
                        label={t('logs.exclude_value', { value: name })}
                        onClick={() => onToggle(field, value, true)}
                      >
                        <IconFilterMinus size={14} />
                      </Action>
                    </>
                  )}
                  {!field.startsWith('resource.') && (
                    <Action
                      label={`${t(column ? 'logs.column_remove' : 'logs.column_add')}: ${name}`}
                      on={column}
                      onClick={() => onColumn(field)}
                    >
                      <IconColumnInsertRight size={14} />
                    </Action>
                  )}
                  <Copy text={value} what={name} />
                </span>
              </dd>
            </div>
          );
        })}
    </dl>
  );
}

function Action({
  label,
  on,
  onClick,
  children,
}: {
  label: string;
  on?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color={on ? undefined : 'gray'} size={22} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
