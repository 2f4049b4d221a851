const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate');
const pol = require('@cloud-copilot/iam-policy');
console.log(Object.keys(pol));
const r = JSON.parse(require('fs').readFileSync('/tmp/access-prod.json'));
const ps = r.filter(x => x.type.includes('rolePolicy:') && x.inputs.role === 'stedi-lakehouse-prod-machine_learning_curated').map(x => ({ name: x.inputs.name, policy: JSON.parse(x.inputs.policy) }));
const bp = JSON.parse(r.find(x => x.type.includes('bucketPolicy:') && x.inputs.bucket.includes('trusted')).inputs.policy);
(async () => {
  const run = (identityPolicies, resourcePolicy, ctx={ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' }, o={}) => runSimulation({ request: { principal: 'arn:aws:iam::123456789012:role/stedi-lakehouse-prod-machine_learning_curated', action: 's3:GetObject', resource: { resource: 'arn:aws:s3:::stedi-lakehouse-prod-trusted-123456789012/customers_curated/x', accountId: '123456789012' }, contextVariables: ctx, ...o }, identityPolicies, serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy }, {});
  let x = await run(ps, bp); console.log(x.resultType, x.overallResult, JSON.stringify(x.result.ignoredContextKeys));
  let t = Date.now(); for (let i = 0; i < 500; i++) await run(ps, bp); console.log('raw', (Date.now() - t) / 500);
  if (pol.validateIdentityPolicy) {
  const v = ps; 
  }
  console.log((await run(ps, bp, { 'aws:SecureTransport': 'false' })).overallResult);
  console.log((await run([], bp, { 'aws:SecureTransport': 'true','s3:TlsVersion':'1.2' }, {principal:'cloudtrail.amazonaws.com'})));
  x = await run(ps, bp, { 'aws:SecureTransport': 'true','s3:TlsVersion':'1.1' }); console.log(x.overallResult, x.result.ignoredContextKeys);
})();
(async () => {
  const t0=Date.now(); const sim = (identityPolicies, resourcePolicy) => ({ request: { principal: 'arn:aws:iam::123456789012:role/stedi-lakehouse-prod-machine_learning_curated', action: 's3:GetObject', resource: { resource: 'arn:aws:s3:::stedi-lakehouse-prod-trusted-123456789012/customers_curated/x', accountId: '123456789012' }, contextVariables: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' } }, identityPolicies, serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy });
  await new Promise(r => setTimeout(r, 1500));
  const v = ps.map(({ name, policy }) => ({ name, policy: pol.createValidatedPolicy(policy, pol.validateIdentityPolicy) }));
  const vb = pol.createValidatedPolicy(bp, pol.validateResourcePolicy);
  for (const [n, f] of [["raw", () => runSimulation(sim(ps, bp), {})],["noBucket", () => runSimulation(sim(ps), {})],["none", () => runSimulation(sim([]), {})]]) {
    await f(); const t = Date.now(); for (let i = 0; i < 1000; i++) await f(); console.log(n, (Date.now() - t) / 1000, JSON.stringify(await f()).slice(0, 100));
  }
})();
