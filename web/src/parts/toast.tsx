import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import i18next from 'i18next';
import { asProblem } from '../api/problem.ts';

const closing = () => ({ 'aria-label': i18next.t('action.close') });

export const toastDone = (message: string) =>
  notifications.show({
    message,
    color: 'teal',
    icon: <IconCheck size={16} />,
    withBorder: true,
    closeButtonProps: closing(),
  });

/** Something is done, and can be taken back for a while. */
export const toastUndo = (message: string, verb: string, undo: () => void) => {
  const id = notifications.show({
    message: (
      <span className="row">
        {message}
        <Button
          variant="subtle"
          size="compact-xs"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          {verb}
        </Button>
      </span>
    ),
    color: 'teal',
    icon: <IconCheck size={16} />,
    withBorder: true,
    autoClose: 8_000,
    closeButtonProps: closing(),
  });
};

export const toastProblem = (error: unknown) => {
  const problem = asProblem(error);
  notifications.show({
    title: i18next.t(`problem.${problem.reason}.what`),
    message: problem.detail || i18next.t(`problem.${problem.reason}.todo`),
    color: 'red',
    icon: <IconAlertTriangle size={16} />,
    withBorder: true,
    autoClose: 10_000,
    closeButtonProps: closing(),
  });
};
