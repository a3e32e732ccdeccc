/** What people read of where a model can be. */
export const MODEL_PLACES =
  "a model's folder or the address of its model.json, or 'cifar10' ('cifar10:0.25', the small one) of this package";

/** What people read of where pictures with labels can be. */
export const DATA_PLACES =
  "'cifar10' (fetched once), 'synthetic' (drawn on the spot), a folder with one sub-folder of pictures for each class, " +
  'or where a copy of CIFAR-10 is: a folder of its .bin files, or a cifar-10-binary.tar.gz';
