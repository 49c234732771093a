/** A type as people say it: without the package it lies in. */
export const simpleType = (type: string) => type.slice(type.lastIndexOf('.') + 1);
