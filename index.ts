import { deploy } from './package/deploy';

export = deploy(__dirname);
