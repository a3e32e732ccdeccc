/** Whether the string names a place by a scheme. A `file:` URL is a path; so is `C:\models`. */
export function isUrl(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) && !/^file:/i.test(place);
}

export function isHttp(place: string): boolean {
  return /^https?:\/\//i.test(place);
}
