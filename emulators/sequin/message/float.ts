/**
 * A float as Erlang's shortest form: always with a fraction, and in whichever of decimal and scientific
 * notation is shorter, decimal if both are as long (erlang:float_to_binary/2 with `short`).
 */
export function writeFloat(value: number): string {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const scientific = `${withFraction(mantissa)}e${Number(exponent)}`;
  if (Math.abs(value) >= 2 ** 53) return scientific;
  const decimal = withFraction(toDecimal(mantissa, Number(exponent)));
  return decimal.length <= scientific.length ? decimal : scientific;
}

function withFraction(number: string): string {
  return number.includes(".") ? number : `${number}.0`;
}

function toDecimal(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = whole + fraction;
  const point = 1 + exponent;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, "0");
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
