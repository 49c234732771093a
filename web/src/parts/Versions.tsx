import { Select } from '@mantine/core';
import { Link, type LinkProps, useNavigate } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { changes, type Line, type Value, valueChanges } from './diff.ts';
import classes from './Versions.module.css';
import { When } from './When.tsx';

/** A part of what was versioned: text is compared line by line, JSON value by value. */
export type Part = { name?: string } & ({ text: string } | { json: unknown });

export interface Version {
  version: number;
  at: string;
  by: string;
  deleted?: boolean;
  /** Why it was made. */
  notes?: string;
  /** In what it is in force, in words. */
  marks: string[];
  /** The same ones in the same order for all versions. */
  parts: Part[];
}

interface Props {
  /** Newest first. */
  versions: Version[];
  /** Which is looked at; the newest, when it is none of them. */
  chosen?: number;
  /** With which it is compared; the one before it, when it is none of them. */
  against?: number;
  /** The address at which a version is looked at, compared with another. */
  link: (version: number, against?: number) => LinkProps;
  /** What the reader may do with the version looked at. */
  actions?: (version: number) => ReactNode;
}

const SIGNS = { added: '+', removed: '−', same: '' } as const;

/** Every version of something with its author, and what the chosen one changed. */
export function Versions({ versions, chosen, against, link, actions }: Props) {
  const { t } = useTranslation();
  const at = Math.max(
    0,
    versions.findIndex((each) => each.version === chosen),
  );
  const shown = versions[at];
  return (
    <div className={classes.history}>
      <ol className={`panel ${classes.versions}`} aria-label={t('versions.all')}>
        {versions.map((each, i) => (
          <li key={each.version}>
            <Link {...link(each.version)} replace resetScroll={false} aria-current={i === at || undefined}>
              <strong>{t('versions.one', { version: each.version })}</strong>
              <When at={each.at} />
              <span className="dim">
                {[each.by, ...each.marks, each.deleted && t('versions.deleted')].filter(Boolean).join(' · ')}
              </span>
              {each.notes && <span className="clip">{each.notes}</span>}
            </Link>
          </li>
        ))}
      </ol>
      {shown && (
        <Shown
          version={shown}
          before={versions.find((each) => each.version === against && each !== shown) ?? versions[at + 1]}
          others={versions.filter((each) => each !== shown)}
          link={link}
          actions={actions?.(shown.version)}
        />
      )}
    </div>
  );
}

interface ShownProps {
  version: Version;
  before?: Version;
  others: Version[];
  link: Props['link'];
  actions: ReactNode;
}

function Shown({ version, before, others, link, actions }: ShownProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const compared = version.parts.flatMap((part, i) => {
    const difference = before ? compare(before.parts[i], part) : whole(part);
    return difference ? [{ name: part.name, ...difference }] : [];
  });
  return (
    <section className={`panel ${classes.shown}`} aria-labelledby="shown">
      <div className={classes.shownHead}>
        <h2 id="shown">
          {before
            ? t('versions.compared', { version: version.version, before: before.version })
            : t(version.version === 1 ? 'versions.first' : 'versions.one', { version: version.version })}
        </h2>
        {before && others.length > 1 && (
          <Select
            w={170}
            aria-label={t('versions.against')}
            allowDeselect={false}
            data={others.map((each) => ({
              value: String(each.version),
              label: t('versions.against_one', { version: each.version }),
            }))}
            value={String(before.version)}
            onChange={(next) =>
              void navigate({ ...link(version.version, Number(next)), replace: true, resetScroll: false })
            }
          />
        )}
        {actions}
      </div>
      {version.notes && <p className={classes.notes}>{version.notes}</p>}
      {compared.length === 0 && (
        <p className={classes.gap}>{t(version.deleted ? 'versions.only_deleted' : 'versions.no_change')}</p>
      )}
      {compared.map(({ name, lines, values }) => (
        <Fragment key={name ?? ''}>
          {name && <h3 className={classes.part}>{name}</h3>}
          {lines && <Lines lines={lines} />}
          {values && <Values values={values} />}
        </Fragment>
      ))}
    </section>
  );
}

interface Difference {
  lines?: Line[];
  values?: Value[];
}

/** Nothing when the two are the same. */
function compare(before: Part | undefined, after: Part): Difference | undefined {
  if ('text' in after) {
    const lines = changes(before && 'text' in before ? before.text : '', after.text);
    return lines.length > 0 ? { lines } : undefined;
  }
  const values = valueChanges(before && 'json' in before ? before.json : undefined, after.json);
  return values.length > 0 ? { values } : undefined;
}

/** All of a part, where there is nothing to compare it with. */
function whole(part: Part): Difference | undefined {
  const text = 'text' in part ? part.text : JSON.stringify(part.json, null, 2);
  return text ? { lines: text.split('\n').map((line) => ({ change: 'same', text: line })) } : undefined;
}

export function Lines({ lines }: { lines: Line[] }) {
  const { t } = useTranslation();
  return (
    <div className={classes.diff}>
      {lines.map((line, i) =>
        line.change === 'gap' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the text
          <div key={i} className={classes.gap}>
            {t('versions.unchanged', { lines: line.lines })}
          </div>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the text
          <div key={i} className={classes.line} data-change={line.change}>
            <i>{SIGNS[line.change]}</i>
            <span>{line.text || ' '}</span>
          </div>
        ),
      )}
    </div>
  );
}

function Values({ values }: { values: Value[] }) {
  const { t } = useTranslation();
  return (
    <div className={classes.diff}>
      {values.map(({ path, before, after }) => (
        <div key={path}>
          <div className={classes.path}>{path || t('versions.document')}</div>
          {before !== undefined && (
            <div className={classes.line} data-change="removed">
              <i>{SIGNS.removed}</i>
              <span>{before}</span>
            </div>
          )}
          {after !== undefined && (
            <div className={classes.line} data-change="added">
              <i>{SIGNS.added}</i>
              <span>{after}</span>
            </div>
          )}
        </div>
      ))}
    </div>
  );
}
