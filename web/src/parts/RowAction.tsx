import { ActionIcon, Tooltip } from '@mantine/core';
import type { ComponentType } from 'react';

interface Props {
  icon: ComponentType<{ size: number }>;
  /** What it does; the tooltip. */
  label: string;
  /** What it does it to: tells the buttons of a list apart for screen readers. */
  of: string;
  /** Why it cannot be done; absent when it can. */
  refused?: string;
  onClick: () => void;
}

/** An action on one row of a list, as an icon. */
export function RowAction({ icon: Icon, label, of, refused, onClick }: Props) {
  return (
    <Tooltip label={refused ?? label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`${label}: ${of}`}
        aria-disabled={refused !== undefined || undefined}
        aria-description={refused}
        data-disabled={refused !== undefined || undefined}
        onClick={refused === undefined ? onClick : undefined}
      >
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
