export function deliveryPath(id: number): string {
  return `/deliveries/${id}`;
}
