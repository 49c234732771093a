import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import i18next from 'i18next';
import { asProblem } from '../api/problem.ts';

export const toastDone = (message: string) =>
  notifications.show({ message, color: 'teal', icon: <IconCheck size={16} />, withBorder: true });

export const toastProblem = (error: unknown) => {
  const problem = asProblem(error);
  notifications.show({
    title: i18next.t(`problem.${problem.reason}.what`),
    message: problem.detail || i18next.t(`problem.${problem.reason}.todo`),
    color: 'red',
    icon: <IconAlertTriangle size={16} />,
    withBorder: true,
    autoClose: 10_000,
  });
};
