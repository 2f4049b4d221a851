// What no stack of this lakehouse may break: `pulumi up --policy-pack policy`.
const { PolicyPack } = require('@pulumi/policy');
const { policies } = require('typed-lakehouse/policy');

new PolicyPack('__NAME__', { enforcementLevel: 'mandatory', policies });
