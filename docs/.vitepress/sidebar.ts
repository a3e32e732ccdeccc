import type { DefaultTheme } from 'vitepress';

const guide = (text: string, name: string) => ({ text, link: `/guide/${name}` });

/** All guides, in the order in which people need them. */
export const guideSidebar: DefaultTheme.SidebarItem[] = [
  {
    text: 'Start',
    items: [
      guide('Quick start', 'quickStart'),
      guide('Tutorial', 'tutorial'),
      guide('What to call for what', 'functions'),
      { text: 'Examples', link: '/examples' },
      { text: 'Command line', link: '/cli' },
    ],
  },
  {
    text: 'Train',
    items: [
      guide('The network', 'network'),
      guide('Training', 'training'),
      guide('Own pictures', 'ownPictures'),
      guide('Transfer learning', 'transferLearning'),
      { text: 'Past one machine', link: '/scaling' },
    ],
  },
  {
    text: 'Run',
    items: [
      guide('Classifying', 'classifying'),
      guide('In the browser', 'browser'),
      guide('In Node services', 'nodeServices'),
      guide('Threads', 'threads'),
      guide('int8', 'int8'),
      guide('Formats', 'formats'),
    ],
  },
  {
    text: 'Measured',
    items: [
      guide('Performance', 'performance'),
      { text: 'Accuracy', link: '/accuracy' },
      { text: "The tutorial's recipe", link: '/tutorialRecipe' },
      { text: 'The trained models', link: '/cifar10ModelCard' },
      { text: 'Logs of the runs', link: '/results' },
    ],
  },
  {
    text: 'Know',
    items: [
      guide('Troubleshooting', 'troubleshooting'),
      { text: 'Architecture', link: '/architecture' },
      { text: 'Dependencies', link: '/dependencies' },
      { text: 'Contributing', link: '/contributing' },
      { text: 'Changelog', link: '/changelog' },
    ],
  },
];
