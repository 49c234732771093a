import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Span } from '../../api/types.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { Block } from '../../parts/Mono.tsx';
import classes from './SpanPanel.module.css';

// A value longer than this many characters gets a box that scrolls.
const LONG = 400;

/** The attributes of the span and of what it ran in, as they were sent. */
export function Attributes({ span }: { span: Span }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  return (
    <>
      <div className="row">
        <Filter label={t('trace.filter_attributes')} value={typed} onChange={setTyped} width={260} />
        <Copy
          text={JSON.stringify({ attributes: span.attributes, resource: span.resource }, null, 2)}
          what={t('trace.attributes')}
        />
      </div>
      <Group title={t('trace.attributes')} pairs={span.attributes} typed={typed} />
      <Group title={t('trace.resource')} pairs={span.resource} typed={typed} />
      {span.dropped > 0 && <p className="dim">{t('trace.dropped', { count: span.dropped })}</p>}
    </>
  );
}

function Group({ title, pairs, typed }: { title: string; pairs: Record<string, string>; typed: string }) {
  const { t } = useTranslation();
  const left = Object.fromEntries(Object.entries(pairs).filter(([key, value]) => holds(typed, key, value)));
  return (
    <section>
      <h3>{title}</h3>
      {Object.keys(left).length > 0 ? <Pairs pairs={left} /> : <p className="dim">{t('trace.no_attributes')}</p>}
    </section>
  );
}

export function Pairs({ pairs }: { pairs: Record<string, unknown> }) {
  return (
    <dl className={classes.pairs}>
      {Object.entries(pairs)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => {
          const text = typeof value === 'string' ? value : JSON.stringify(value);
          return (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {text.length > LONG ? (
                  <Block text={text} what={name} />
                ) : (
                  <>
                    <code>{text}</code>
                    <Copy text={text} what={name} className={classes.copy} />
                  </>
                )}
              </dd>
            </div>
          );
        })}
    </dl>
  );
}
