// awsx hands out whole resources, which the SDK can read only where their module is loaded.
import '@pulumi/aws/ec2';
import { SecurityGroup } from '@pulumi/aws/ec2/securityGroup';
import { VpcEndpoint } from '@pulumi/aws/ec2/vpcEndpoint';
import { Connection } from '@pulumi/aws/glue/connection';
import { SecurityGroupEgressRule } from '@pulumi/aws/vpc/securityGroupEgressRule';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc/securityGroupIngressRule';
import { Vpc, type VpcArgs } from '@pulumi/awsx/ec2/vpc';
import { all, ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { endpointsOf } from './availability-zone';
import type { NetworkSettings } from './settings';
import type { Site } from './site';
import { type Transform, transformed } from './transform';

export interface NetworkArgs {
  readonly site: Site;
  readonly settings: Pick<NetworkSettings, 'cidr'>;
  /** Where it is: one in which AWS offers all endpoints. */
  readonly availabilityZone: string;
  readonly transform?: { readonly vpc?: Transform<VpcArgs> };
}

/**
 * A private network for the jobs, with no way to the internet: S3 by a gateway endpoint, the other services by
 * interface endpoints. One availability zone: a run that loses it is run again.
 */
export class Network extends ComponentResource {
  /** The name of the Glue connection, known before it is there. */
  readonly connectionName: string;
  /** The same name, once the network is complete. */
  readonly connection: Output<string>;
  readonly nodes: {
    readonly vpc: Vpc;
    readonly securityGroup: SecurityGroup;
    readonly endpoints: readonly VpcEndpoint[];
    readonly connection: Connection;
  };

  constructor(name: string, args: NetworkArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:network:Network', name, {}, opts);
    const { site } = args;
    const parent = { parent: this };
    const tags = { ...site.tags, Name: site.name };
    this.connectionName = `${site.name}-network`;

    const vpc = new Vpc(
      `${name}-vpc`,
      transformed<VpcArgs>(
        {
          cidrBlock: args.settings.cidr,
          availabilityZoneNames: [args.availabilityZone],
          subnetStrategy: 'Auto',
          subnetSpecs: [{ type: 'Isolated' }],
          natGateways: { strategy: 'None' },
          // The endpoints answer to the services' own names.
          enableDnsHostnames: true,
          enableDnsSupport: true,
          tags,
        },
        args.transform?.vpc,
        ['subnetSpecs', 'natGateways', 'enableDnsHostnames', 'enableDnsSupport'],
      ),
      parent,
    );
    const securityGroup = new SecurityGroup(
      `${name}-jobs`,
      { description: 'Glue jobs and the endpoints they call', vpcId: vpc.vpcId, tags },
      parent,
    );
    const endpoint = (service: string) => ({
      vpcId: vpc.vpcId,
      serviceName: `com.amazonaws.${site.region}.${service}`,
      tags: { ...tags, Name: `${site.name}-${service}` },
    });
    const s3 = new VpcEndpoint(
      `${name}-s3`,
      {
        ...endpoint('s3'),
        vpcEndpointType: 'Gateway',
        routeTableIds: vpc.routeTables.apply((tables) => all(tables.map(({ id }) => id))),
      },
      parent,
    );
    const interfaces = endpointsOf(site.key !== undefined).map(
      (service) =>
        new VpcEndpoint(
          `${name}-${service}`,
          {
            ...endpoint(service),
            vpcEndpointType: 'Interface',
            privateDnsEnabled: true,
            subnetIds: vpc.isolatedSubnetIds,
            securityGroupIds: [securityGroup.id],
          },
          parent,
        ),
    );
    const group = { securityGroupId: securityGroup.id };
    const amongWorkers = {
      ...group,
      referencedSecurityGroupId: securityGroup.id,
      ipProtocol: 'tcp',
      fromPort: 0,
      toPort: 65_535,
      tags: site.tags,
    };
    const rules = [
      new SecurityGroupIngressRule(
        `${name}-from-workers`,
        { ...amongWorkers, description: 'Workers of a job talk to each other: all of TCP, as Glue asks for' },
        parent,
      ),
      new SecurityGroupEgressRule(
        `${name}-to-workers`,
        { ...amongWorkers, description: 'Workers of a job talk to each other and to the endpoints' },
        parent,
      ),
      new SecurityGroupEgressRule(
        `${name}-to-s3`,
        {
          ...group,
          description: 'S3 through its gateway',
          ipProtocol: 'tcp',
          fromPort: 443,
          toPort: 443,
          prefixListId: s3.prefixListId,
          tags: site.tags,
        },
        parent,
      ),
    ];
    const connection = new Connection(
      `${name}-connection`,
      {
        name: this.connectionName,
        description: 'Puts jobs into the private network.',
        connectionType: 'NETWORK',
        physicalConnectionRequirements: {
          availabilityZone: vpc.subnets.apply(([subnet]) => subnetOf(subnet).availabilityZone),
          subnetId: vpc.isolatedSubnetIds.apply(([id]) => subnetOf(id)),
          securityGroupIdLists: [securityGroup.id],
        },
        tags: site.tags,
      },
      // A job that starts before its network is complete hangs until its time is out.
      { parent: this, dependsOn: [s3, ...interfaces, ...rules] },
    );
    this.connection = connection.name;
    this.nodes = { vpc, securityGroup, endpoints: [s3, ...interfaces], connection };
    this.registerOutputs({ connection: this.connection });
  }
}

function subnetOf<T>(subnet: T | undefined): T {
  if (subnet === undefined) throw new Error('awsx made a network without an isolated subnet');
  return subnet;
}
