export const Transactions = () => null;
