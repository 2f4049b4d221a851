import * as pulumi from '@pulumi/pulumi';
import { deploymentsOf } from './deployments-of';
import { readSettings } from './settings';

const settings = readSettings(new pulumi.Config());

for (const stack of settings.stacks) deploymentsOf(stack, settings);
