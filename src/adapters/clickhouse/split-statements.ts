/**
 * The statements of an SQL file: split at semicolons outside of comments (`-- …`, block comments), quoted strings and
 * quoted names. Comments are left out; an empty statement is none.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === ';') {
      statements.push(statement.trim());
      statement = '';
    } else if (!token.startsWith('--') && !token.startsWith('/*')) {
      statement += token;
    }
  }
  statements.push(statement.trim());
  return statements.filter((each) => each !== '');
}

const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|;|[^;'"`/-]+|[\s\S]/g;
