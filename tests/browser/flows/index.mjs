// The flows in their order. Each is a function that takes what the flows before it left; `always` marks those that others
// rest on, so that they are played even where only some are asked for.
import * as signIn from './sign_in.mjs';

export const FLOWS = [signIn].flatMap((file) => Object.entries(file.flows));
