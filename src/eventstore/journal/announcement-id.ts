import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import { derivedId } from '../ids.ts';

const subjectOf = (about: NoticeAbout): readonly (string | number)[] => {
  switch (about.kind) {
    case 'terms':
      return [about.kind, about.document, about.version];
    case 'price':
      return [about.kind, about.model, about.version];
    case 'delisting':
      return [about.kind, about.model, about.effectiveFrom];
  }
};

/** The id of an announcement, which all notices about the same text, price or end of sale share. On disk, in rows. */
export const announcementIdOf = (about: NoticeAbout): string => derivedId('ann', JSON.stringify(subjectOf(about)));
