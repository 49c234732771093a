import { Button, Group, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  opened: boolean;
  title: string;
  /** What will happen, in words. */
  children: ReactNode;
  /** The verb on the button that does it. */
  verb: string;
  danger?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once before what cannot be taken back. */
export function Confirm({ opened, title, children, verb, danger, busy, onConfirm, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<strong>{title}</strong>}
      size="sm"
      centered
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className="soft">{children}</div>
      <Group justify="flex-end" gap={8} mt={18}>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button color={danger ? 'red.9' : undefined} loading={busy} onClick={onConfirm} data-autofocus>
          {verb}
        </Button>
      </Group>
    </Modal>
  );
}
