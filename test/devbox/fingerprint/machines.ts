/** Facts as machines answer them, and what the fingerprint must be made from; without `from` none may be made. */
export type Machine = {
  readonly name: string;
  readonly facts: readonly (readonly string[])[];
  readonly from?: readonly [kind: 'tpm' | 'machine' | 'cards', ...parts: string[]];
};

const dell = '4c4c4544-0035-3510-8052-b4c04f4e3132';
const ek = '70769c52b6e24ef683693c2a0208da68d77e94192e1f4080ce7c9b97c3caa681';
const onboard = [
  'card',
  '8C-EC-4B-A1-02-0F',
  'PCI\\VEN_8086&DEV_15F3&SUBSYS_0A1F1028&REV_03\\3&11583659&0&FE',
  '1',
];
const wlan = ['card', 'A4-C3-F0-5B-77-1E', 'PCI\\VEN_8086&DEV_2723&SUBSYS_00848086&REV_1A\\4&2A1B', '1'];
const dockByUsb = ['card', '00-E0-4C-68-01-9A', 'USB\\VID_0BDA&PID_8153\\000001', '3'];
const vm = '564d8f5a-bd2c-4b9e-0b1c-6a1d8f1f2a3b';

export const machines: readonly Machine[] = [
  {
    name: 'a laptop with a TPM, which its cards and its UUID do not change',
    facts: [
      ['ek', ek],
      ['uuid', dell.toUpperCase()],
      [...onboard, 'Ethernet'],
      [...dockByUsb, 'Dock'],
    ],
    from: ['tpm', ek],
  },
  { name: 'a TPM whose hash is in capitals', facts: [['ek', ek.toUpperCase()]], from: ['tpm', ek] },
  {
    name: 'a TPM that answers with zeros',
    facts: [['ek', '0'.repeat(64)], ['uuid', dell], onboard],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'a TPM that answers with nothing',
    facts: [['ek', ''], ['uuid', dell], onboard],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'Windows without a TPM: two cards of its own, at a docking station',
    facts: [
      ['uuid', dell.toUpperCase()],
      [...wlan, 'Wi-Fi'],
      [...dockByUsb, 'Realtek USB GbE'],
      [...onboard, 'I225-LM'],
    ],
    from: ['machine', dell, '8cec4ba1020f', 'a4c3f05b771e'],
  },
  {
    name: 'the same machine away from its docking station, cards the other way round, addresses by Linux',
    facts: [
      ['uuid', dell],
      ['card', '8c:ec:4b:a1:02:0f', 'pci', 'fixed', 'enp0s31f6'],
      ['card', 'a4:c3:f0:5b:77:1e', 'pci', 'fixed', 'wlp2s0'],
    ],
    from: ['machine', dell, '8cec4ba1020f', 'a4c3f05b771e'],
  },
  {
    name: 'a docking station by Thunderbolt, whose card is on PCI',
    facts: [
      ['uuid', dell],
      ['card', '8c:ec:4b:a1:02:0f', 'pci', 'fixed', 'enp0s31f6'],
      ['card', '64:4b:f0:10:22:33', 'pci', 'removable', 'enp10s0'],
      ['card', '644BF0102234', 'PCI\\VEN_8086&DEV_1533', '3', 'I210'],
    ],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'a Hyper-V host: its virtual switch has the address of the card, VPNs have none of a machine',
    facts: [
      ['uuid', dell],
      [...onboard, 'Intel(R) Ethernet Controller I225-LM'],
      ['card', '8C-EC-4B-A1-02-0F', 'ROOT\\VMS_MP\\0000', '1', 'Hyper-V Virtual Ethernet Adapter'],
      ['card', '00-FF-8B-1C-2D-3E', 'ROOT\\NET\\0000', '1', 'TAP-Windows Adapter V9'],
      ['card', '00-05-9A-3C-7A-00', 'ROOT\\NET\\0001', '1', 'Cisco AnyConnect Virtual Miniport Adapter'],
      ['card', '02-50-41-00-00-01', 'ROOT\\NET\\0002', '1', 'PANGP Virtual Ethernet Adapter'],
      ['card', '-', 'SWD\\WINTUN\\{5A2B}', 'unknown', 'WireGuard Tunnel'],
      ['card', '38-DE-AD-01-02-04', 'BTH\\MS_BTHPAN\\6&1', '1', 'Bluetooth Device (Personal Area Network)'],
      ['card', '02-00-4C-4F-4F-50', 'ROOT\\NET\\0003', '1', 'Microsoft KM-TEST Loopback Adapter'],
    ],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'the first of two clones with one UUID',
    facts: [
      ['uuid', vm],
      ['card', '00:50:56:9A:01:01', 'PCI\\VEN_15AD&DEV_07B0', '2', 'vmxnet3'],
    ],
    from: ['machine', vm, '0050569a0101'],
  },
  {
    name: 'the second of two clones with one UUID',
    facts: [
      ['uuid', vm],
      ['card', '00:50:56:9A:01:02', 'PCI\\VEN_15AD&DEV_07B0', '2', 'vmxnet3'],
    ],
    from: ['machine', vm, '0050569a0102'],
  },
  {
    name: 'a guest of Hyper-V',
    facts: [
      ['uuid', vm],
      ['card', '00155D010203', 'VMBUS\\{F8615163}\\{A1}', '2', 'Microsoft Hyper-V Network Adapter'],
    ],
    from: ['machine', vm, '00155d010203'],
  },
  {
    name: 'a guest of KVM, whose address says that it was given locally',
    facts: [
      ['uuid', vm],
      ['card', '52:54:00:12:34:56', 'virtio', 'fixed', 'eth0'],
    ],
    from: ['machine', vm, '525400123456'],
  },
  {
    name: 'a guest of Xen',
    facts: [
      ['uuid', vm],
      ['card', '00:16:3e:01:02:03', 'xen', 'fixed', 'eth0'],
    ],
    from: ['machine', vm, '00163e010203'],
  },
  ...[
    'To be filled by O.E.M.',
    'Default string',
    'Not Settable',
    '',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    '00000000-0000-0000-0000-000000000000',
    '03000200-0400-0500-0006-000700080009',
    '12345678-1234-5678-90AB-CDDEEFAABBCC',
    'FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE',
    '4c4c4544-0035-3510-8052',
  ].map((uuid) => ({
    name: `a maker that wrote "${uuid}" for the UUID`,
    facts: [['uuid', uuid], onboard],
    from: ['cards', '8cec4ba1020f'] as const,
  })),
  { name: 'no UUID at all', facts: [onboard], from: ['cards', '8cec4ba1020f'] },
  {
    name: 'a UUID of zeros and an address, as one maker has it',
    facts: [
      ['uuid', '00000000-0000-0000-0000-AC1F6BD0A1B2'],
      ['card', 'ac:1f:6b:d0:a1:b2', 'pci', 'fixed', 'eno1'],
    ],
    from: ['machine', '00000000-0000-0000-0000-ac1f6bd0a1b2', 'ac1f6bd0a1b2'],
  },
  {
    name: 'a UUID in braces, between blanks',
    facts: [['uuid', ` {${dell.toUpperCase()}} `], onboard],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'cards without an address of their own beside one that has it',
    facts: [
      ['uuid', dell],
      ...['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '-', '', '88:88:88:88:87:88', '01:00:5e:00:00:01'].map(
        (mac) => [...['card', mac, 'pci', 'fixed', 'eth1']],
      ),
      ['card', '80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0e:0b:01', 'pci', 'fixed', 'ib0'],
      onboard,
    ],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'one card that is listed twice',
    facts: [['uuid', dell], onboard, ['card', '8cec.4ba1.020f', 'pci', 'fixed', 'eth0']],
    from: ['machine', dell, '8cec4ba1020f'],
  },
  {
    name: 'a UUID and only a docking station',
    facts: [
      ['uuid', dell],
      [...dockByUsb, 'Dock'],
    ],
  },
  { name: 'a container: a UUID of its host, and a virtual card without a device', facts: [['uuid', dell]] },
  { name: 'nothing', facts: [] },
];
