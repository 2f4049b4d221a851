import { PolicyPack } from '@pulumi/policy';
import { policies } from './index';

new PolicyPack('stedi-lakehouse', { enforcementLevel: 'mandatory', policies });
