import { Button, Modal } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Block } from '../../parts/Mono.tsx';

/** A secret, shown this one time. */
export function Shown({ title, secret, onClose }: { title: string; secret: string; onClose: () => void }) {
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
        <span className="soft">{t('settings.shown_once')}</span>
        <Block text={secret} what={title} />
        <Button onClick={onClose}>{t('settings.kept')}</Button>
      </div>
    </Modal>
  );
}
