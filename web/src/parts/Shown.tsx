import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Block } from './Mono.tsx';

interface Props {
  title: string;
  secret: string;
  /** What to do with it. */
  children?: ReactNode;
  onClose: () => void;
}

/** A secret, shown this one time. */
export function Shown({ title, secret, children, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      title={<strong>{title}</strong>}
      closeOnClickOutside={false}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className="form">
        <span className="soft">
          {t('settings.shown_once')} {children}
        </span>
        <Block text={secret} what={title} />
        <Button onClick={onClose}>{t('settings.kept')}</Button>
      </div>
    </Modal>
  );
}
