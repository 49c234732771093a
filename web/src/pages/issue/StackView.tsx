import { IconChevronRight, IconPointFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { IssueException, IssueOccurrence, StackFrame } from '../../api/types.ts';
import { folded } from './fold.ts';
import classes from './Issue.module.css';

/** A chain of exceptions, the application's own frames in sight and the others folded away. */
export function StackView({ stack }: { stack: IssueOccurrence['stack'] }) {
  const { t } = useTranslation();
  return (
    <ol className={classes.chain}>
      {stack.exceptions.map((exception, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an exception is its place in the chain
        <li key={i}>
          <h2 className={classes.exception}>
            {i > 0 && (
              <span className={classes.because}>
                {t(exception.suppressed ? 'issue.suppressed' : 'issue.caused_by')}
              </span>
            )}
            <span>{exception.type}</span>
            {exception.message && <span className="soft">{exception.message}</span>}
          </h2>
          <Frames exception={exception} />
        </li>
      ))}
    </ol>
  );
}

function Frames({ exception }: { exception: IssueException }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  if (exception.frames.length === 0) return <p className={classes.none}>{t('issue.no_frames')}</p>;
  return (
    <ol className={classes.frames}>
      {folded(exception.frames).map((part) =>
        part.own || part.frames.length === 1 || open.has(part.from) ? (
          part.frames.map((frame, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a frame is its place on the stack
            <Frame key={part.from + i} frame={frame} />
          ))
        ) : (
          <li key={part.from}>
            <button
              type="button"
              className={classes.fold}
              onClick={() => setOpen((old) => new Set(old).add(part.from))}
            >
              <IconChevronRight size={14} aria-hidden />
              {t('issue.folded', { n: part.frames.length, first: part.frames[0]?.module || part.frames[0]?.file })}
            </button>
          </li>
        ),
      )}
      {(exception.omitted ?? 0) > 0 && <li className={classes.none}>{t('issue.omitted', { n: exception.omitted })}</li>}
    </ol>
  );
}

function Frame({ frame }: { frame: StackFrame }) {
  const { t } = useTranslation();
  const place = frame.line > 0 ? `${frame.file}:${frame.line}` : frame.file;
  return (
    <li className={classes.frame} data-own={frame.in_app || undefined}>
      {frame.in_app ? <IconPointFilled size={14} aria-label={t('issue.own')} role="img" /> : <i aria-hidden />}
      <code>
        {frame.module && <span>{`${frame.module}.`}</span>}
        <strong>{frame.function || t('issue.anonymous')}</strong>
      </code>
      <code className={classes.place}>{place}</code>
      {frame.source && <code className={classes.source}>{frame.source}</code>}
    </li>
  );
}
