/** What dashboards are read from, in the order in which it is made. */
export const sumTables = [
  'usage_hours',
  'usage_days',
  'usage_payers',
  'usage_payer_days',
  'usage_payer_numbers',
  'usage_hour_payers',
  'usage_day_payers',
  'usage_problems',
] as const;
