import { Button, Group, Modal, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  opened: boolean;
  title: string;
  /** What will happen, in words. */
  children: ReactNode;
  /** The verb on the button that does it. */
  verb: string;
  danger?: boolean;
  /** A name that must be typed before the button works. */
  typed?: string;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once before what cannot be taken back. */
export function Confirm({ opened, title, children, verb, danger, typed, busy, onConfirm, onClose }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
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
      {typed && (
        <TextInput
          mt={14}
          label={t('action.type_name', { name: typed })}
          autoComplete="off"
          data-autofocus
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <Group justify="flex-end" gap={8} mt={18}>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button
          color={danger ? 'red.9' : undefined}
          loading={busy}
          disabled={typed !== undefined && text.trim() !== typed}
          onClick={onConfirm}
          data-autofocus={typed ? undefined : true}
        >
          {verb}
        </Button>
      </Group>
    </Modal>
  );
}
