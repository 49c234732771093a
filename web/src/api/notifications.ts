import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, post, put, seen } from './client.ts';
import type { DeliveryPage, MyNotifications, NotificationsEdit } from './types.ts';

/** What the reader wants to be told of, and by which ways. */
export const notificationsQuery = queryOptions({
  queryKey: ['notifications'],
  queryFn: ({ signal }) => get<MyNotifications>('/me/notifications', undefined, signal),
});
export const updateNotifications = (version: number, edit: NotificationsEdit) =>
  put<MyNotifications>('/me/notifications', edit, seen(version));
export const testNotifications = (kind: string) => post<void>('/me/notifications/test', { kind });

/** What became of messages to the reader, newest first. */
export const myDeliveriesQuery = infiniteQueryOptions({
  queryKey: ['my-deliveries'],
  queryFn: ({ pageParam, signal }) =>
    get<DeliveryPage>('/me/notification-deliveries', { cursor: pageParam, limit: 20 }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next_cursor }) => next_cursor || undefined,
});
