/** Shows in the page's <output> what `work` resolves with, or what went wrong: to people and to whoever runs the page. */
export async function show(work) {
  const output = document.querySelector('output');
  try {
    output.textContent = JSON.stringify(await work(), undefined, 2);
    output.dataset.state = 'done';
  } catch (error) {
    output.textContent = `${error.stack}`;
    output.dataset.state = 'failed';
  }
}
