/**
 * The tabs of the page, by the keyboard as WAI-ARIA has it: arrows, Home and End move between them. The address keeps
 * which one is open.
 */
export function setUpTabs(onOpen: (name: string) => void): { open(name: string): void } {
  const tabs = [...document.querySelectorAll<HTMLElement>('[role=tab]')];
  const nameOf = (tab: HTMLElement) => tab.getAttribute('aria-controls')!;

  const open = (name: string) => {
    for (const tab of tabs) {
      const isOpen = nameOf(tab) === name;
      tab.setAttribute('aria-selected', String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
      document.getElementById(nameOf(tab))!.hidden = !isOpen;
    }
    onOpen(name);
  };
  const choose = (name: string) => {
    history.replaceState(null, '', `#${name}`);
    open(name);
  };
  /** The link to the content is an address, too, and no tab's. */
  const openAddress = () => {
    const asked = location.hash.slice(1);
    if (tabs.some((tab) => nameOf(tab) === asked)) open(asked);
  };

  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => choose(nameOf(tab)));
    tab.addEventListener('keydown', (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs.at(to % tabs.length)!;
      choose(nameOf(next));
      next.focus();
    });
  }
  window.addEventListener('hashchange', openAddress);
  open(nameOf(tabs[0]!));
  openAddress();
  return { open: choose };
}
