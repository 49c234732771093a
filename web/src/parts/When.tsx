import { Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { absolute, ago, short } from '../format/time.ts';
import { useNow } from './useNow.ts';

interface Props {
  at: string;
  /** Short absolute time instead of "3 min ago". */
  clock?: boolean;
}

/** A moment, told relatively, with the exact time on hover and for the machine. */
export function When({ at, clock }: Props) {
  const now = useNow();
  const { i18n } = useTranslation();
  return (
    <Tooltip label={absolute(at)}>
      <time dateTime={at} className="nowrap">
        {clock ? short(at, now) : ago(at, now, i18n.language)}
      </time>
    </Tooltip>
  );
}
