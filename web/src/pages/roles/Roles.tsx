export const Roles = () => null;
