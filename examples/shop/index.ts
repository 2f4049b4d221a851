import { deploy } from 'typed-lakehouse';

export = deploy(__dirname);
