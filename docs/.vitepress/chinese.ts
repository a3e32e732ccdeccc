import type { DefaultTheme, LocaleSpecificConfig } from 'vitepress';

/** What the frame around the Chinese pages says. */
export const chinese: LocaleSpecificConfig<DefaultTheme.Config> & { label: string; link: string } = {
  label: '简体中文',
  lang: 'zh-CN',
  link: '/zh/',
  title: 'mobilenet-v1-ts',
  description: '用 TypeScript 实现的 MobileNetV1：在普通 CPU 上以原生代码的速度训练。',
  themeConfig: {
    nav: [
      { text: '快速开始', link: '/zh/quickStart' },
      { text: '教程', link: '/zh/tutorial' },
      { text: '指南（英文）', link: '/guide/functions' },
      { text: 'API（英文）', link: '/api/mobilenet-v1-ts/' },
    ],
    sidebar: {
      '/zh/': [
        {
          text: '开始',
          items: [
            { text: '快速开始', link: '/zh/quickStart' },
            { text: '教程：从数据到曲线', link: '/zh/tutorial' },
          ],
        },
        {
          text: '更多（英文）',
          items: [
            { text: '训练', link: '/guide/training' },
            { text: '自己的图片', link: '/guide/ownPictures' },
            { text: '迁移学习', link: '/guide/transferLearning' },
            { text: '在浏览器中', link: '/guide/browser' },
            { text: '故障排查', link: '/guide/troubleshooting' },
            { text: 'API', link: '/api/mobilenet-v1-ts/' },
          ],
        },
      ],
    },
    outline: { level: [2, 3], label: '本页目录' },
    docFooter: { prev: '上一页', next: '下一页' },
    darkModeSwitchLabel: '外观',
    lightModeSwitchTitle: '切换到浅色模式',
    darkModeSwitchTitle: '切换到深色模式',
    sidebarMenuLabel: '菜单',
    returnToTopLabel: '回到顶部',
    langMenuLabel: '切换语言',
    skipToContentLabel: '跳到正文',
    notFound: { title: '没有找到页面', quote: '这个地址没有页面。', linkLabel: '回到首页', linkText: '回到首页' },
  },
};

/** What the search box says. */
export const chineseSearch: Partial<DefaultTheme.LocalSearchOptions> = {
  translations: {
    button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
    modal: {
      displayDetails: '显示详细列表',
      resetButtonTitle: '清除搜索',
      backButtonTitle: '关闭搜索',
      noResultsText: '没有结果：',
      footer: {
        selectText: '选择',
        selectKeyAriaLabel: '回车',
        navigateText: '移动',
        navigateUpKeyAriaLabel: '上',
        navigateDownKeyAriaLabel: '下',
        closeText: '关闭',
        closeKeyAriaLabel: 'Esc',
      },
    },
  },
};
