// A plugin of TypeDoc: modules are called as people import them, and not as their files are.
import { Converter, ReflectionKind } from 'typedoc';

/** @type {Record<string, string>} */
const IMPORTED_AS = { index: 'mobilenet-v1-ts', cifar10: 'mobilenet-v1-ts/cifar10' };

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = IMPORTED_AS[module.name] ?? module.name;
    }
  });
}
