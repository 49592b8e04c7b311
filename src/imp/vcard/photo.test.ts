import fc from 'fast-check';
import { expect, test } from 'vitest';
import { text, xml } from '../../../test/support/imp-accounts.ts';
import { avatarOf, photoOf, withPhoto } from './photo.ts';

function vcard(inside: string): ReturnType<typeof xml> {
  return xml(`<vCard xmlns='vcard-temp'>${inside}</vCard>`);
}

test('a photo is read with its hash, whatever white space its base64 has', () => {
  expect(photoOf(vcard('<PHOTO><TYPE>image/PNG</TYPE><BINVAL>\n aGVs\n bG8=\n</BINVAL></PHOTO>'))).toEqual({
    hash: 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d',
    type: 'image/png',
    base64: 'aGVsbG8=',
    octets: 5,
  });
});

test.each([
  '',
  '<FN>x</FN>',
  '<PHOTO/>',
  '<PHOTO><BINVAL/></PHOTO>',
  '<PHOTO><EXTVAL>http://a.example/</EXTVAL></PHOTO>',
])('there is no photo in %j', (inside) => {
  expect(photoOf(vcard(inside))).toBeUndefined();
});

test.each([
  ['no type', '<PHOTO><BINVAL>aGVsbG8=</BINVAL></PHOTO>'],
  ['no image', '<PHOTO><TYPE>text/html</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>'],
  ['a picture that is a program', '<PHOTO><TYPE>image/svg+xml</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>'],
  ['no base64', '<PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8</BINVAL></PHOTO>'],
  ['other letters', '<PHOTO><TYPE>image/png</TYPE><BINVAL>aGVs-G8=</BINVAL></PHOTO>'],
  ['bits that nobody reads', '<PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG9=</BINVAL></PHOTO>'],
  ['too much', `<PHOTO><TYPE>image/png</TYPE><BINVAL>${'AAAA'.repeat(50_001)}</BINVAL></PHOTO>`],
])('a photo with %s is malformed', (_, inside) => {
  expect(photoOf(vcard(inside))).toBe('malformed');
});

test('every image is what it was after it has been in a vCard, and any text is judged without a fault of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.string(), (image, wild) => {
      const base64 = Buffer.from(image).toString('base64');
      const avatar = avatarOf('image/webp', base64);
      expect(avatar).toMatchObject({ base64, octets: image.length });
      expect(photoOf(withPhoto(vcard('<PHOTO>old</PHOTO><FN>x</FN>'), avatar))).toEqual(avatar);
      const judged = avatarOf('image/png', wild);
      expect(judged === undefined || Buffer.from(judged.base64, 'base64').length === judged.octets).toBe(true);
    }),
  );
});

test('a photo is taken out, and the rest stays', () => {
  expect(text(withPhoto(vcard('<FN>x</FN><PHOTO><BINVAL>a</BINVAL></PHOTO>'), undefined))).toBe(
    "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>",
  );
});
