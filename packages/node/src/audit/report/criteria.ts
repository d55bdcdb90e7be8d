/**
 * Criteria: which of the Trust Services Criteria each part of a report is evidence for, in our own words.
 *
 * @see AICPA Trust Services Criteria (2017, points of focus revised 2022)
 * @module
 */
export const criteria = {
  'CC6.1': 'access is restricted by identity and role, and credentials are managed',
  'CC6.2': 'access begins with an authorisation and ends when it is no longer needed',
  'CC6.3': 'roles follow least privilege and are reviewed',
  'CC6.6': 'threats from outside are kept out',
  'CC6.7': 'data leaves only as allowed',
  'CC6.8': 'only known software, models included, is run',
  'CC7.2': 'the system is watched, and the watching itself has no holes',
  'CC7.4': 'incidents are answered in time',
  'CC8.1': 'changes are made under control',
  'PI1.2': 'what is processed is complete and accurate',
} as const

export type Criterion = keyof typeof criteria
