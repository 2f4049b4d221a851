import { PolicyPack } from '@pulumi/policy';
import { policies } from './index';

new PolicyPack('typed-lakehouse', { enforcementLevel: 'mandatory', policies });
