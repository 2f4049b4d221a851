import { Network } from './network';
import { deployed, site } from './testing';

const VPC = 'awsx:ec2:Vpc';
const GROUP = 'aws:ec2/securityGroup:SecurityGroup';
const ENDPOINT = 'aws:ec2/vpcEndpoint:VpcEndpoint';
const INGRESS = 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule';
const EGRESS = 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule';
const CONNECTION = 'aws:glue/connection:Connection';
const tags = { project: 'acme', team: 'data' };
const named = { ...tags, Name: 'acme-test' };
const settings = { cidr: '10.1.0.0/24' };

const networkOf = (args: Partial<ConstructorParameters<typeof Network>[1]> = {}) =>
  deployed(() => new Network('net', { site, settings, availabilityZone: 'cn-north-1b', ...args }));

const vpc = {
  cidrBlock: '10.1.0.0/24',
  availabilityZoneNames: ['cn-north-1b'],
  subnetStrategy: 'Auto',
  subnetSpecs: [{ type: 'Isolated' }],
  natGateways: { strategy: 'None' },
  enableDnsHostnames: true,
  enableDnsSupport: true,
  tags: named,
};

const endpoint = (service: string) => ({
  type: ENDPOINT,
  name: `net-${service}`,
  parent: 'net',
  inputs: {
    vpcId: 'net-vpc.vpcId',
    serviceName: `com.amazonaws.cn-north-1.${service}`,
    vpcEndpointType: 'Interface',
    privateDnsEnabled: true,
    subnetIds: ['net-vpc.subnetId'],
    securityGroupIds: ['net-jobs.id'],
    tags: { ...tags, Name: `acme-test-${service}` },
  },
  after: ['net-jobs', 'net-vpc'],
});

test('a network has no way out but to the services that a job calls', async () => {
  const { value, resources } = await networkOf();
  const child = { parent: 'net' };
  expect(resources).toStrictEqual([
    {
      ...child,
      type: GROUP,
      name: 'net-jobs',
      inputs: { description: 'Glue jobs and the endpoints they call', vpcId: 'net-vpc.vpcId', tags: named },
      after: ['net-vpc'],
    },
    endpoint('glue'),
    endpoint('logs'),
    endpoint('monitoring'),
    {
      ...child,
      type: ENDPOINT,
      name: 'net-s3',
      inputs: {
        vpcId: 'net-vpc.vpcId',
        serviceName: 'com.amazonaws.cn-north-1.s3',
        vpcEndpointType: 'Gateway',
        routeTableIds: ['net-vpc.routeTableId'],
        tags: { ...tags, Name: 'acme-test-s3' },
      },
      after: ['net-vpc'],
    },
    endpoint('secretsmanager'),
    {
      ...child,
      type: CONNECTION,
      name: 'net-connection',
      inputs: {
        name: 'acme-test-network',
        description: 'Puts jobs into the private network.',
        connectionType: 'NETWORK',
        physicalConnectionRequirements: {
          availabilityZone: 'net-vpc.zone',
          subnetId: 'net-vpc.subnetId',
          securityGroupIdLists: ['net-jobs.id'],
        },
        tags,
      },
      // A job that starts before its network is complete hangs.
      after: [
        'net-from-workers',
        'net-glue',
        'net-jobs',
        'net-logs',
        'net-monitoring',
        'net-s3',
        'net-secretsmanager',
        'net-to-s3',
        'net-to-workers',
        'net-vpc',
      ],
    },
    {
      ...child,
      type: EGRESS,
      name: 'net-to-s3',
      inputs: {
        securityGroupId: 'net-jobs.id',
        description: 'S3 through its gateway',
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
        prefixListId: 'net-s3.prefixListId',
        tags,
      },
      after: ['net-jobs', 'net-s3'],
    },
    {
      ...child,
      type: EGRESS,
      name: 'net-to-workers',
      inputs: {
        securityGroupId: 'net-jobs.id',
        referencedSecurityGroupId: 'net-jobs.id',
        description: 'Workers of a job talk to each other and to the endpoints',
        ipProtocol: 'tcp',
        fromPort: 0,
        toPort: 65535,
        tags,
      },
      after: ['net-jobs'],
    },
    {
      ...child,
      type: INGRESS,
      name: 'net-from-workers',
      inputs: {
        securityGroupId: 'net-jobs.id',
        referencedSecurityGroupId: 'net-jobs.id',
        description: 'Workers of a job talk to each other: all of TCP, as Glue asks for',
        ipProtocol: 'tcp',
        fromPort: 0,
        toPort: 65535,
        tags,
      },
      after: ['net-jobs'],
    },
    { ...child, type: VPC, name: 'net-vpc', inputs: vpc, after: [] },
    {
      type: 'lakehouse:network:Network',
      name: 'net',
      inputs: {},
      after: [],
      outputs: { connection: 'acme-test-network' },
    },
  ]);
  expect(value.connectionName).toBe('acme-test-network');
  expect(value.nodes.endpoints).toHaveLength(5);
});

test('a transform opens no way out', async () => {
  const { inputs } = await networkOf({
    transform: {
      vpc: {
        natGateways: { strategy: 'Single' },
        subnetSpecs: [{ type: 'Public' }],
        enableDnsHostnames: false,
        enableDnsSupport: false,
        availabilityZoneNames: ['cn-north-1a', 'cn-north-1b'],
      },
    },
  });
  expect(inputs(VPC)).toStrictEqual({
    ...vpc,
    availabilityZoneNames: ['cn-north-1a', 'cn-north-1b'],
  });
});
