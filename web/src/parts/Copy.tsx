import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { copyText } from './copyText.ts';

interface Props {
  text: string;
  /** What is copied, for the tooltip and for screen readers. */
  what?: string;
  className?: string;
}

export function Copy({ text, what, className }: Props) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const label = done ? t('copy.done') : what ? t('copy.what', { what }) : t('copy.copy');
  return (
    <Tooltip label={label}>
      <ActionIcon
        className={className}
        variant="subtle"
        color="gray"
        size={22}
        aria-label={label}
        onClick={async (event) => {
          event.stopPropagation();
          await copyText(text);
          setDone(true);
          setTimeout(() => setDone(false), 1500);
        }}
      >
        {done ? <IconCheck size={14} color="var(--mx-ok)" /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}
