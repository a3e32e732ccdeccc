// Whether Electron's own binary is here, which its package fetches from elsewhere, and a display for its window.
import electron from 'electron';

if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
  throw new Error(`no display for ${electron}`);
}
