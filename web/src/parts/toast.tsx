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
