import { Button } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { Link, type LinkProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { changes, type Line } from './diff.ts';
import classes from './Versions.module.css';
import { When } from './When.tsx';

export interface Version {
  version: number;
  at: string;
  by: string;
  deleted?: boolean;
  /** What it was, one thing a line. */
  text: string;
}

interface Props {
  /** Newest first. */
  versions: Version[];
  /** Which is in force. */
  current: number;
  /** Which is looked at; the newest, when it is none of them. */
  chosen?: number;
  /** The address at which a version is looked at. */
  link: (version: number) => LinkProps;
  /** Absent where the reader may not restore. */
  onRestore?: (version: number) => void;
  restoring: boolean;
}

const SIGNS = { added: '+', removed: '−', same: '' } as const;

/** Every version of something with its author, and what the chosen one changed. */
export function Versions({ versions, current, chosen, link, onRestore, restoring }: Props) {
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
                {each.by}
                {each.version === current && ` · ${t('versions.current')}`}
                {each.deleted && ` · ${t('versions.deleted')}`}
              </span>
            </Link>
          </li>
        ))}
      </ol>
      {shown && (
        <Shown
          version={shown}
          before={versions[at + 1]}
          restoring={restoring}
          onRestore={onRestore && shown.version !== current ? () => onRestore(shown.version) : undefined}
        />
      )}
    </div>
  );
}

interface ShownProps {
  version: Version;
  before?: Version;
  onRestore?: () => void;
  restoring: boolean;
}

function Shown({ version, before, onRestore, restoring }: ShownProps) {
  const { t } = useTranslation();
  const lines: Line[] = before
    ? changes(before.text, version.text)
    : version.text.split('\n').map((text) => ({ change: 'same', text }));
  return (
    <section className={`panel ${classes.shown}`} aria-labelledby="shown">
      <div className={classes.shownHead}>
        <h2 id="shown">
          {before
            ? t('versions.compared', { version: version.version, before: before.version })
            : t(version.version === 1 ? 'versions.first' : 'versions.one', { version: version.version })}
        </h2>
        {onRestore && (
          <Button variant="default" leftSection={<IconHistory size={15} />} loading={restoring} onClick={onRestore}>
            {t('versions.restore')}
          </Button>
        )}
      </div>
      {lines.length === 0 && (
        <p className={classes.gap}>{t(version.deleted ? 'versions.only_deleted' : 'versions.no_change')}</p>
      )}
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
    </section>
  );
}
